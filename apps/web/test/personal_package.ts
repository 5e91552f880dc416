import { PersonalModel } from '../src/personal/client'
import type { PersonalOptions } from '../src/personal/package'
import { fileOf, floatsOf, runtimeOnce } from './data'

/** Of the packages that Python makes for tests. */
export const PIXELS = 36
export const BATCH = 8
export const STAR = 'star ☆' // as Python names it

/** Returns a model of the package with this head. */
export async function opened(head: string, options?: PersonalOptions): Promise<PersonalModel> {
  const file = (name: string): Uint8Array => fileOf('personal', head, name)
  const [manifest, model] = [file('personal.json'), file('personal.tflite')]
  const files = { manifest, model, replay: file('replay.safetensors') }
  return PersonalModel.open(files, await runtimeOnce(), options)
}

/** Returns the images of a file beside it. */
export function imagesOf(head: string, name: string): Float32Array[] {
  const pixels = floatsOf('personal', head, name)
  return Array.from({ length: pixels.length / PIXELS }, (_, index) =>
    pixels.slice(index * PIXELS, (index + 1) * PIXELS),
  )
}
