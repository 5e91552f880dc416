import { areaSums, turned, type Grid } from './areas'
import type { Drawing } from './drawing'
import { DrawingError } from './errors'
import { checkSize, greyLevel, type Pixels } from './pixels'

// The numbers of data/drawing.py, which is the specification of all of this.
const LEAST_CONTRAST = 32
const INK = 64

/** Height and width. */
export type Size = readonly [number, number]

/**
 * Returns a drawing or a photo of one figure as an image of a task: steps 1 to 9 of
 * `data/drawing.py`, with the same numbers.
 *
 * @param drawing how the task's images were made
 * @param size of the task's images
 * @returns levels from 0 to 255, row by row, the figure light on black
 * @throws DrawingError there is no figure
 */
export function toImage(
  pixels: Pixels,
  width: number,
  height: number,
  drawing: Drawing,
  size: Size,
): Uint8Array {
  checkSize(pixels, width, height)
  const grey = greyOf(pixels)
  let background = backgroundOf(grey, width, height)
  let sum = 0
  for (let place = 0; place < grey.length; place++) sum += grey[place]!
  const isDarkOnLight = background * grey.length > sum
  if (isDarkOnLight) {
    background = 255 - background
    for (let place = 0; place < grey.length; place++) grey[place] = 255 - grey[place]!
  }
  const levels = stretched(grey, background)
  if (height === size[0] && width === size[1] && !isDarkOnLight) return grey
  return placed(cut(levels, width, height), drawing, size)
}

/** Returns levels on white: step 1. */
function greyOf(pixels: Pixels): Uint8Array {
  const grey = new Uint8Array(pixels.length / 4)
  let next = 0
  for (let place = 0; place < pixels.length; place += 4) {
    const alpha = pixels[place + 3]!
    const red = onWhite(pixels[place]!, alpha)
    grey[next++] = greyLevel(
      red,
      onWhite(pixels[place + 1]!, alpha),
      onWhite(pixels[place + 2]!, alpha),
    )
  }
  return grey
}

function onWhite(colour: number, alpha: number): number {
  return alpha === 255 ? colour : Math.trunc((colour * alpha + 255 * (255 - alpha) + 127) / 255)
}

/** Returns the lower median of the outermost rows and columns: step 2. */
function backgroundOf(grey: Uint8Array, width: number, height: number): number {
  const border: number[] = []
  for (let row = 0; row < height; row++) {
    const step = row === 0 || row === height - 1 ? 1 : Math.max(width - 1, 1)
    for (let column = 0; column < width; column += step) {
      border.push(grey[row * width + column]!)
    }
  }
  return Uint8Array.from(border).sort()[(border.length - 1) >> 1]!
}

/** Returns levels from 0, the background's, to 255: step 5. */
function stretched(grey: Uint8Array, background: number): Uint8Array {
  let most = 0
  for (let place = 0; place < grey.length; place++) most = Math.max(most, grey[place]!)
  const contrast = most - background
  if (contrast < LEAST_CONTRAST) {
    throw new DrawingError(
      "shows no figure, expected one that is darker or lighter than the image's border; draw it " +
        'with more contrast, or away from the border',
    )
  }
  const table = Uint8Array.from({ length: 256 }, (_, level) =>
    Math.min(Math.floor((Math.max(level - background, 0) * 255) / contrast), 255),
  )
  const levels = new Uint8Array(grey.length)
  for (let place = 0; place < grey.length; place++) levels[place] = table[grey[place]!]!
  return levels
}

/** Returns the smallest box with every level that is ink: step 6. */
function cut(levels: Uint8Array, width: number, height: number): Grid {
  let top = 0
  let bottom = 0
  let left = width
  let right = 0
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (levels[row * width + column]! < INK) continue
      if (bottom === 0) top = row
      bottom = row + 1
      if (column < left) left = column
      if (column >= right) right = column + 1
    }
  }
  const box = { height: bottom - top, width: right - left }
  const values = new Float64Array(box.height * box.width)
  for (let row = 0; row < box.height; row++) {
    const start = (top + row) * width
    values.set(levels.subarray(start + left, start + right), row * box.width)
  }
  return { values, ...box }
}

/** Returns the figure in the field of a task: steps 7 to 9. */
function placed(figure: Grid, { size, field, centre }: Drawing, [H, W]: Size): Uint8Array {
  const share = size / field
  const scale = Math.min((share * H) / figure.height, (share * W) / figure.width)
  const height = Math.max(1, Math.floor(figure.height * scale + 0.5))
  const width = Math.max(1, Math.floor(figure.width * scale + 0.5))
  const sums = areaSums(figure, height, width)
  const top = centre === 'mass' ? topByMass(sums, H) : (H - height) >> 1
  const left = centre === 'mass' ? topByMass(turned(sums), W) : (W - width) >> 1
  const image = new Uint8Array(H * W)
  const area = figure.height * figure.width
  for (const [place, sum] of sums.values.entries()) {
    const row = within(top, H - height) + Math.floor(place / width)
    const column = within(left, W - width) + (place % width)
    image[row * W + column] = Math.floor((2 * sum + area) / (2 * area))
  }
  return image
}

/** Returns the row of a field at which a figure begins whose centre of mass is in the middle. */
function topByMass({ values, height, width }: Grid, side: number): number {
  let [moment, mass] = [0n, 0n] // beyond 2 ** 53 for large photos and fields
  for (let row = 0; row < height; row++) {
    const sum = values.subarray(row * width, (row + 1) * width).reduce((one, all) => one + all, 0)
    moment += BigInt(sum) * BigInt(2 * row + 1)
    mass += BigInt(sum)
  }
  return (side >> 1) - Number(moment / (2n * mass))
}

function within(start: number, most: number): number {
  return Math.min(Math.max(start, 0), most)
}
