import { checkSize, greyLevel, type Pixels } from './pixels'

/** Whole numbers of Pillow's, which has so many bits behind the point. */
const PRECISION = 22

/** Of new pixel `place`, which old pixels it is made of, and what each of them counts. */
interface Share {
  readonly first: number
  readonly weights: readonly number[]
}

/**
 * Returns an image resized, as the pipeline does with images of data sets without a `drawing`: by
 * Pillow's `resize` with its bilinear filter, with the same numbers. What is transparent lies on
 * black.
 *
 * The form is that of Pillow's Resample.c (precompute_coeffs, ImagingResampleHorizontal_8bpc):
 * https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Resample.c
 *
 * @param shape height, width and channels of the task's images
 * @returns levels from 0 to 255, row by row, of each pixel as many as there are channels
 * @throws DrawingError there are not four numbers for each pixel
 */
export function toResized(
  pixels: Pixels,
  width: number,
  height: number,
  [H, W, channels]: readonly [number, number, number],
): Uint8Array {
  checkSize(pixels, width, height)
  const flat = channels === 1 ? greyOnBlack(pixels) : coloursOnBlack(pixels)
  const wide = width === W ? flat : resizedRows(flat, height, width, channels, W)
  return height === H ? wide : resizedColumns(wide, height, W * channels, H)
}

function greyOnBlack(pixels: Pixels): Uint8Array {
  const colours = coloursOnBlack(pixels)
  const grey = new Uint8Array(colours.length / 3)
  for (let place = 0; place < grey.length; place++) {
    const [red, green, blue] = [3 * place, 3 * place + 1, 3 * place + 2]
    grey[place] = greyLevel(colours[red]!, colours[green]!, colours[blue]!)
  }
  return grey
}

/** Returns red, green and blue on black, by the whole numbers of Pillow's `alpha_composite`. */
function coloursOnBlack(pixels: Pixels): Uint8Array {
  const colours = new Uint8Array((pixels.length / 4) * 3)
  let next = 0
  for (let place = 0; place < pixels.length; place++) {
    if (place % 4 === 3) continue
    const blend = (pixels[place]! * pixels[place | 3]! + 128) << 7
    colours[next++] = ((blend >> 8) + blend) >> 15
  }
  return colours
}

/** Resizes each row of `width` pixels to `newWidth`. */
function resizedRows(
  levels: Uint8Array,
  height: number,
  width: number,
  channels: number,
  newWidth: number,
): Uint8Array {
  const resized = new Uint8Array(height * newWidth * channels)
  let next = 0
  const shares = sharesOf(width, newWidth)
  for (let row = 0; row < height; row++) {
    for (const { first, weights } of shares) {
      for (let channel = 0; channel < channels; channel++) {
        const start = (row * width + first) * channels + channel
        resized[next++] = mean(levels, start, channels, weights)
      }
    }
  }
  return resized
}

/** Resizes each column of `height` numbers to `newHeight`. */
function resizedColumns(
  levels: Uint8Array,
  height: number,
  width: number,
  newHeight: number,
): Uint8Array {
  const resized = new Uint8Array(newHeight * width)
  let next = 0
  for (const { first, weights } of sharesOf(height, newHeight)) {
    for (let column = 0; column < width; column++) {
      resized[next++] = mean(levels, first * width + column, width, weights)
    }
  }
  return resized
}

function mean(levels: Uint8Array, start: number, step: number, weights: readonly number[]): number {
  let sum = 1 << (PRECISION - 1)
  for (let place = 0; place < weights.length; place++) {
    sum += levels[start + place * step]! * weights[place]!
  }
  return Math.min(Math.max(sum >> PRECISION, 0), 255)
}

function sharesOf(length: number, newLength: number): Share[] {
  const scale = length / newLength
  const reach = Math.max(scale, 1)
  return Array.from({ length: newLength }, (_, place) => {
    const centre = (place + 0.5) * scale
    const first = Math.max(Math.trunc(centre - reach + 0.5), 0)
    const last = Math.min(Math.trunc(centre + reach + 0.5), length)
    const triangle = Array.from({ length: last - first }, (_, old) =>
      Math.max(1 - Math.abs((old + first - centre + 0.5) * (1 / reach)), 0),
    )
    const sum = triangle.reduce((all, each) => all + each, 0)
    const weights = triangle.map((each) => Math.trunc(0.5 + (each / sum) * (1 << PRECISION)))
    return { first, weights }
  })
}
