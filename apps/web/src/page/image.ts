// Pixels of a canvas as the image that models take.

import { toImage } from '../drawing/image'
import { asFloats } from '../personal/images'
import type { DevicePackage } from '../runtime/device_package'

export function imageOf(pixels: ImageData, { drawing, imageShape }: DevicePackage): Float32Array {
  const [height, width] = imageShape
  if (!drawing) throw new Error('photos are not resized yet')
  return asFloats(toImage(pixels.data, pixels.width, pixels.height, drawing, [height, width]))
}
