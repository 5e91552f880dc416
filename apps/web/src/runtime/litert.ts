import { loadAndCompile, loadLiteRt, supportsFeature, unloadLiteRt } from '@litertjs/core'
import { reasonOf, RuntimeError, type Trouble } from './errors'
import { Model, type Guard } from './model'
import { readModelFile } from './model_file'
import { sha256Of } from './sha256'
import type { WasmSource } from './source'
import { DTYPES, isDType } from './tensors'

/** The builds of LiteRT.js that are used. The fast one needs relaxed SIMD; both have one thread. */
export type Build = 'fast' | 'compatible'

const SCRIPTS: Readonly<Record<Build, string>> = {
  fast: 'litert_wasm_internal.js',
  compatible: 'litert_wasm_compat_internal.js',
}
const MOST_OPEN = 1000 // models
const NO_GPU = 'Failed to create default WebGPU device:'

/** What may be said of a file that is opened. */
export interface OpenOptions {
  /** For errors. */
  readonly name?: string
  /** What the file has to have, 64 small hexadecimal digits; not looked at where it is missing. */
  readonly sha256?: string
}

/** LiteRT.js, loaded. There is one at a time. */
export class Runtime {
  private crash: string | null = null

  constructor(readonly build: Build) {}

  /** False after a crash: then close it, and load another. */
  get isUsable(): boolean {
    return this.crash === null
  }

  /**
   * Opens a TFLite file.
   *
   * Its SHA-256 is compared before anything of it is used: a damaged file may crash the runtime,
   * and give wrong answers where it does not.
   *
   * @param content is left as it is
   * @throws RuntimeError it is damaged, cannot be run here, or the runtime has crashed
   */
  async open(content: Uint8Array, options: OpenOptions = {}): Promise<Model> {
    const name = options.name ?? 'the model'
    if (options.sha256 !== undefined) {
      const found = await sha256Of(content)
      if (found !== options.sha256) {
        throw new RuntimeError(
          'damaged',
          `${name} is damaged: its SHA-256 begins with ${found.slice(0, 12)}, expected ` +
            `${options.sha256.slice(0, 12)}; fetch it anew`,
        )
      }
    }
    const file = readModelFile(content, name)
    for (const { inputs, outputs } of file.signatures) {
      for (const { name: tensor, type } of [...inputs, ...outputs]) {
        if (isDType(type)) continue
        throw new RuntimeError(
          'unsupported',
          `${name} has the tensor ${tensor} of ${type}, and LiteRT.js takes and gives ` +
            `${DTYPES.join(', ')} alone; use a model with such inputs and outputs`,
        )
      }
    }
    return this.guarded('unsupported', name, async () => {
      const compiled = await loadAndCompile(file.bytes, { accelerator: 'wasm' })
      try {
        const guard: Guard = (work) => this.guarded('misused', name, work)
        return new Model(compiled, file.signatures, name, guard)
      } catch (error) {
        compiled.delete()
        throw error
      }
    })
  }

  /** Frees all of it; models that are open cannot be used any more. */
  close(): void {
    this.crash ??= 'it was closed'
    // What a crash has left cannot be freed, but LiteRT.js goes on behind it the next time.
    for (let open = 0; open < MOST_OPEN; open++) {
      try {
        return unloadLiteRt()
      } catch {
        continue
      }
    }
  }

  /** Makes RuntimeErrors of what LiteRT.js throws, and lets nobody use it after a crash. */
  private async guarded<T>(trouble: Trouble, name: string, work: () => Promise<T>): Promise<T> {
    if (this.crash !== null) {
      throw new RuntimeError(
        'unavailable',
        `the runtime cannot be used any more (${this.crash}); load it anew, or reload the page`,
      )
    }
    try {
      return await work()
    } catch (error) {
      const isCrash = error instanceof WebAssembly.RuntimeError || error instanceof RangeError
      if (isCrash) this.crash = `${name} made it crash: ${reasonOf(error)}`
      throw new RuntimeError(
        isCrash ? 'unavailable' : trouble,
        `${name} cannot be run by LiteRT.js (${reasonOf(error)}); it may be damaged, or have ` +
          'operators that are not in it',
        { cause: error },
      )
    }
  }
}

/**
 * Loads LiteRT.js: the fast build where it runs, otherwise the compatible one.
 *
 * @throws RuntimeError (`unavailable`) neither runs, or files are missing
 */
export async function loadRuntime(source: WasmSource): Promise<Runtime> {
  if (typeof WebAssembly !== 'object') {
    throw new RuntimeError(
      'unavailable',
      'this browser has no WebAssembly, which models run on; use one of the last years, and ' +
        'allow WebAssembly in it',
    )
  }
  const builds: Build[] = (await supportsFeature('relaxedSimd'))
    ? ['fast', 'compatible']
    : ['compatible']
  const reasons: string[] = []
  for (const build of builds) {
    try {
      await source.within(() => load(source, build))
      return new Runtime(build)
    } catch (error) {
      reasons.push(`${SCRIPTS[build]}: ${reasonOf(error)}`)
    }
  }
  throw new RuntimeError(
    'unavailable',
    `LiteRT.js cannot be loaded (${reasons.join('; ')}); its files have to be there, and the ` +
      'browser has to have WebAssembly with SIMD, as those of the last years do',
  )
}

async function load(source: WasmSource, build: Build): Promise<void> {
  // What the program tells would otherwise be errors on the console.
  const module = { print: () => {}, printErr: () => {}, locateFile: source.locate }
  Object.assign(globalThis, { Module: module })
  const restore = hideGpu()
  try {
    await loadLiteRt(source.locate(SCRIPTS[build]))
  } catch (error) {
    throw error instanceof Error ? error : new Error('the script cannot be loaded')
  } finally {
    restore()
    Object.assign(globalThis, { Module: undefined })
  }
}

/** Keeps LiteRT.js from waking up a GPU, which nothing here uses, and from telling of that. */
function hideGpu(): () => void {
  const { warn } = console
  const { navigator } = globalThis as { navigator?: { gpu?: unknown } }
  console.warn = (...texts) => {
    if (texts[0] !== NO_GPU) warn(...texts)
  }
  if (navigator) Object.defineProperty(navigator, 'gpu', { value: undefined, configurable: true })
  return () => {
    console.warn = warn
    delete navigator?.gpu // what hid the browser's own
  }
}
