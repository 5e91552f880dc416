// The image that the models see, pixel by pixel.

import { byId } from './dom'

export class Seen {
  private readonly canvas = byId<HTMLCanvasElement>('seen')

  constructor(private readonly shape: readonly [number, number, number], how: string) {
    byId('seen-how').textContent = how
    this.show(null, 'empty')
  }

  show(image: Float32Array | null, what: string): void {
    paint(this.canvas, image, this.shape)
    this.canvas.setAttribute('aria-label', `The image that the models see: ${what}`)
  }
}

// Paints numbers from 0 to 1, of H x W x C, on a canvas of as many pixels.
export function paint(
  canvas: HTMLCanvasElement,
  image: Float32Array | null,
  [height, width, channels]: readonly [number, number, number],
): void {
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d')
  if (!context || !image) return
  const pixels = context.createImageData(width, height)
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) {
      const level = image[i * channels + (channels === 3 ? c : 0)] ?? 0
      pixels.data[4 * i + c] = Math.round(255 * level)
    }
    pixels.data[4 * i + 3] = 255
  }
  context.putImageData(pixels, 0, 0)
}
