// The camera in a window of the page, where the browser gives it; otherwise the phone's own app.

import { byId, say } from './dom'

const WANTED: MediaStreamConstraints = {
  audio: false,
  video: { facingMode: { ideal: 'environment' }, width: { ideal: 1280 }, height: { ideal: 1280 } },
}
const REASONS: Readonly<Record<string, string>> = {
  NotFoundError: 'There is no camera here; open a picture instead.',
  NotAllowedError: 'The browser does not let this page use the camera; allow it, or open a picture.',
  NotReadableError: 'The camera is in use by another program; close that, or open a picture.',
}

// Has `take` called with the middle square of what the camera sees, as often as somebody shoots.
export function startCamera(take: (pixels: ImageData) => void): void {
  const button = byId('take')
  const window_ = byId<HTMLDialogElement>('camera')
  const video = byId<HTMLVideoElement>('camera-video')
  const stop = () => {
    const stream = video.srcObject as MediaStream | null
    for (const track of stream?.getTracks() ?? []) track.stop()
    video.srcObject = null
  }
  button.addEventListener('click', (event) => {
    if (!navigator.mediaDevices?.getUserMedia) return // the field asks for a photo itself
    event.preventDefault()
    void (async () => {
      try {
        video.srcObject = await navigator.mediaDevices.getUserMedia(WANTED)
        await video.play()
        window_.showModal()
      } catch (error) {
        stop()
        const reason = REASONS[(error as Error).name]
        say(reason ?? `The camera cannot be used: ${(error as Error).message}`, 'problem')
      }
    })()
  })
  byId('shoot').addEventListener('click', () => {
    const pixels = middleOf(video)
    window_.close()
    if (pixels) take(pixels)
  })
  byId('camera-close').addEventListener('click', () => window_.close())
  window_.addEventListener('close', stop)
}

const SIDE = 512

function middleOf(video: HTMLVideoElement): ImageData | null {
  const side = Math.min(video.videoWidth, video.videoHeight)
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = SIDE
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (!side || !context) return null
  const [left, top] = [(video.videoWidth - side) / 2, (video.videoHeight - side) / 2]
  context.drawImage(video, left, top, side, side, 0, 0, SIDE, SIDE)
  return context.getImageData(0, 0, SIDE, SIDE)
}
