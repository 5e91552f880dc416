import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadRuntime, type Runtime } from '../src/runtime/litert'
import { nodeSource } from '../src/runtime/node_source'

/** What `tests/apps/web/` wrote for these tests; they run by pytest, which sets where it is. */
const folder = process.env['WEB_TEST_DATA']

/** For tests that need it. */
export const needsData = { skip: !folder && 'needs what pytest tests/apps/web writes' }

/** Returns where a file is that Python wrote, or will read. */
export function pathOf(...path: string[]): string {
  return join(folder ?? '', ...path)
}

/** Returns a file that Python wrote. */
export function fileOf(...path: string[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(pathOf(...path)))
}

/** Returns a JSON file that Python wrote. */
export function jsonOf<T>(...path: string[]): T {
  return JSON.parse(new TextDecoder().decode(fileOf(...path))) as T
}

/** Returns a file of float32 numbers that Python wrote. */
export function floatsOf(...path: string[]): Float32Array {
  return new Float32Array(fileOf(...path).buffer)
}

let runtime: Promise<Runtime> | null = null

/** Returns the runtime, which is loaded once for a file of tests. */
export function runtimeOnce(): Promise<Runtime> {
  runtime ??= loadRuntime(nodeSource(import.meta.url))
  return runtime
}
