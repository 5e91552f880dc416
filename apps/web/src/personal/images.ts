import { dtypeOf } from '../runtime/tensors'
import { PersonalError } from './errors'

/** Returns an image of uint8 levels as floats from 0 to 1, as every model takes them. */
export function asFloats(levels: Uint8Array | Uint8ClampedArray): Float32Array {
  return Float32Array.from(levels, (level) => Math.fround(level / 255))
}

/**
 * Checks that an image is one that a personal model takes.
 *
 * @param shape height, width and channels of the task
 * @throws PersonalError it has another size or type, or numbers that are not from 0 to 1
 */
export function checkImage(image: Float32Array, shape: readonly number[]): void {
  const pixels = shape.reduce((size, length) => size * length, 1)
  if (!(image instanceof Float32Array) || image.length !== pixels) {
    throw new PersonalError(
      `the image is ${dtypeOf(image)}[${(image as ArrayLike<number> | null)?.length}], expected ` +
        `float32[${pixels}], ${shape.join(' x ')} numbers`,
    )
  }
  const odd = image.find((each) => !(each >= 0 && each <= 1))
  if (odd !== undefined) {
    throw new PersonalError(`the image has the number ${odd}, expected 0 to 1 without NaN`)
  }
}
