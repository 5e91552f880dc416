import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import v8 from 'node:v8'
import type { WasmSource } from './source'

type Global = Record<string, unknown>

/**
 * The files of the folder `wasm` of `@litertjs/core`, for Node.
 *
 * LiteRT.js loads its scripts as a web worker does, and finds what they make in `self`. These two
 * names are there while it loads.
 *
 * @param folder by default that of the package that a program at `from` uses
 */
export function nodeSource(from: string, folder?: string): WasmSource {
  // The V8 of Node 20 has what the fast build needs behind a flag, later ones have it anyway.
  if (parseFloat(process.versions.v8) < 11.4) {
    v8.setFlagsFromString('--experimental-wasm-relaxed-simd')
  }
  const require = createRequire(from)
  const files = folder ?? join(dirname(require.resolve('@litertjs/core')), '..', 'wasm')
  const names: Global = { self: globalThis, importScripts: (file: string) => run(file, require) }
  return {
    locate: (file) => join(files, file),
    within: async (load) => {
      Object.assign(globalThis, names)
      try {
        return await load()
      } finally {
        for (const name of Object.keys(names)) delete (globalThis as Global)[name]
      }
    },
  }
}

/** Runs a script as CommonJS, which a package of modules would not have it be. */
function run(file: string, require: NodeJS.Require): void {
  const module = { exports: {} }
  const parameters = ['module', 'exports', 'require', '__filename', '__dirname']
  const script = new Function(...parameters, readFileSync(file, 'utf8'))
  script(module, module.exports, require, file, dirname(file))
  ;(globalThis as Global)['ModuleFactory'] = module.exports
}
