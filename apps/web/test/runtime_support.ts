import assert from 'node:assert/strict'
import { getGlobalLiteRt } from '@litertjs/core'
import { RuntimeError } from '../src/runtime/errors'
import { fileOf } from './data'

export const PIXELS = 784

/** Returns a device model that Python made. */
export const modelOf = (name: string): Uint8Array => fileOf('models', `${name}.tflite`)

/** Asserts that something is refused with a RuntimeError. */
export function refused(work: Promise<unknown>, trouble: string, message: RegExp): Promise<void> {
  return assert.rejects(work, (error) => {
    assert.ok(error instanceof RuntimeError)
    assert.match(error.message, message)
    assert.equal(error.trouble, trouble)
    return true
  })
}

/** Watches LiteRT.js's buffers: those that are made and not yet deleted, and how many are. */
export function watched(): { readonly made: Set<unknown>; deleted: number } {
  const { LiteRtTensorBuffer: buffers } = getGlobalLiteRt().liteRtWasm
  const [make, remove] = [buffers.createManaged, buffers.prototype.delete]
  const watch = { made: new Set<unknown>(), deleted: 0 }
  buffers.createManaged = (...inputs) => {
    const buffer = make.apply(buffers, inputs)
    watch.made.add(buffer)
    return buffer
  }
  buffers.prototype.delete = function () {
    watch.made.delete(this)
    watch.deleted += 1
    remove.call(this)
  }
  return watch
}
