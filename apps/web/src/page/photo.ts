// A photo or a picture file as pixels, upright, and no larger than a model could use.

const LARGEST_FILE = 64e6; // bytes
const LARGEST_SIDE = 16_384; // pixels; decoding more may end the tab on a phone
const LARGEST_PIXELS = 120e6
const USED_SIDE = 1024; // a larger picture is made smaller

export async function pixelsOf(file: File): Promise<ImageData> {
  const name = `“${file.name}”`
  if (file.size > LARGEST_FILE) {
    throw new Error(
      `${name} has ${Math.round(file.size / 1e6)} MB, more than the ${LARGEST_FILE / 1e6} MB ` +
        'that this page reads; choose a smaller picture',
    )
  }
  if (file.size === 0) throw new Error(`${name} is empty; choose a picture`)
  const {width, height} = await sizeOf(file, name)
  if (Math.max(width, height) > LARGEST_SIDE || width * height > LARGEST_PIXELS) {
    throw new Error(
      `${name} has ${width}x${height} pixels, more than this page can decode safely; make it smaller`,
    )
  }
  const scale = Math.min(1, USED_SIDE / Math.max(width, height))
  const [w, h] = [width, height].map((side) => Math.max(1, Math.round(side * scale)))
  const bitmap = await createImageBitmap(file, {
    imageOrientation: 'from-image',
    ...(scale < 1 ? {resizeWidth: w, resizeHeight: h, resizeQuality: 'high' as const} : {}),
  }).catch(() => {
    throw new Error(`${name} could not be decoded; choose a picture such as PNG or JPEG`)
  })
  const canvas = document.createElement('canvas')
  canvas.width = bitmap.width
  canvas.height = bitmap.height
  const context = canvas.getContext('2d', {willReadFrequently: true})
  if (!context) throw new Error('this browser gives no canvas to read pictures with; use another')
  context.drawImage(bitmap, 0, 0)
  bitmap.close()
  return context.getImageData(0, 0, canvas.width, canvas.height)
}

// An <img> tells the size, turned as the camera was, before all of the pixels are decoded.
async function sizeOf(file: File, name: string): Promise<{width: number; height: number}> {
  const address = URL.createObjectURL(file)
  const image = new Image()
  try {
    await new Promise<void>((resolve, reject) => {
      image.onload = () => resolve()
      image.onerror = () => reject(new Error(`${name} is no picture that this browser can read`))
      image.src = address
    })
    if (!image.naturalWidth || !image.naturalHeight) {
      throw new Error(`${name} has no size; choose a picture such as PNG or JPEG`)
    }
    return {width: image.naturalWidth, height: image.naturalHeight}
  } finally {
    URL.revokeObjectURL(address)
  }
}
