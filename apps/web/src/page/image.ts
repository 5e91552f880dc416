// Pixels of a canvas as the image that models take.

import { toImage } from '../drawing/image'
import { toResized } from '../drawing/resized'
import { asFloats } from '../personal/images'
import type { DevicePackage } from '../runtime/device_package'

export function imageOf(
  { data, width, height }: ImageData,
  { drawing, imageShape }: DevicePackage,
): Float32Array {
  const [H, W] = imageShape
  return asFloats(
    drawing
      ? toImage(data, width, height, drawing, [H, W])
      : toResized(data, width, height, imageShape),
  )
}
