import { DrawingError } from './errors'

// ITU-R BT.601, in parts of 65536
const RED = 19595
const GREEN = 38470
const BLUE = 7471

/** Of red, green, blue and alpha (not premultiplied), row by row, as a canvas has them. */
export type Pixels = Uint8ClampedArray | Uint8Array

/** Throws DrawingError unless there are four numbers for each pixel. */
export function checkSize(pixels: Pixels, width: number, height: number): void {
  if (pixels.length && pixels.length === 4 * width * height) return
  throw new DrawingError(
    `has ${pixels.length} numbers, expected four for each of ${width} x ${height} pixels`,
  )
}

/** Returns the grey level of a colour, all from 0 to 255. */
export function greyLevel(red: number, green: number, blue: number): number {
  return (RED * red + GREEN * green + BLUE * blue + 32768) >> 16
}
