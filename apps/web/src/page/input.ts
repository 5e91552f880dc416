// What the models are shown: a drawing or a photo, and the image that becomes of it.

import { startCamera } from './camera'
import { byId, hush, say, sentenceOf } from './dom'
import { imageOf } from './image'
import { Pad } from './pad'
import { paint } from './seen'
import { pixelsOf } from './photo'
import { DrawingError } from '../drawing/errors'
import type { DevicePackage } from '../runtime/device_package'

export interface Shown {
  readonly image: Float32Array | null // null where there is nothing to be seen
  readonly problem: string // why not; '' where nothing was drawn
  readonly since: number | null // when it was finished; null while a stroke grows
}

export class Input {
  private readonly pad: Pad
  private photo: ImageData | null = null
  private isDue = false

  constructor(
    private readonly pack: DevicePackage,
    private readonly changed: (shown: Shown) => void,
  ) {
    this.pad = new Pad(
      byId<HTMLCanvasElement>('pad'),
      () => this.later(),
      (time) => this.now(time),
    )
    byId('clear').addEventListener('click', () => this.clear())
    byId('undo-stroke').addEventListener('click', () => {
      this.pad.undo()
      this.now(performance.now())
    })
    for (const id of ['choose', 'take']) {
      byId<HTMLInputElement>(id).addEventListener('change', (event) => {
        const field = event.currentTarget as HTMLInputElement
        void this.show(field.files?.[0])
        field.value = '' // the same file may be chosen once more
      })
    }
    this.takeDrops()
    startCamera((pixels) => {
      this.photo = pixels
      this.now(performance.now())
    })
    if (!pack.drawing) byId('input-title').textContent = 'Show'
    this.showWhich()
  }

  clear(): void {
    this.photo = null
    this.pad.clear()
    this.now(null)
  }

  // Makes an image of a file, as of what is shown; throws where it cannot become one.
  async imageOfFile(file: File): Promise<Float32Array> {
    return imageOf(await pixelsOf(file), this.pack)
  }

  private async show(file: File | undefined): Promise<void> {
    if (!file) return
    hush()
    try {
      this.photo = await pixelsOf(file)
      this.now(performance.now())
    } catch (error) {
      say(sentenceOf(error), 'problem')
    }
  }

  private takeDrops(): void {
    const card = byId('sheet').parentElement!
    card.addEventListener('dragover', (event) => {
      event.preventDefault()
      byId('drop').classList.add('over')
    })
    card.addEventListener('dragleave', () => byId('drop').classList.remove('over'))
    card.addEventListener('drop', (event) => {
      event.preventDefault()
      byId('drop').classList.remove('over')
      void this.show(event.dataTransfer?.files[0])
    })
    document.addEventListener('paste', (event) => {
      const file = event.clipboardData?.files[0]
      if (file) void this.show(file)
    })
  }

  // While a stroke grows, at most once a frame.
  private later(): void {
    if (this.isDue) return
    this.isDue = true
    requestAnimationFrame(() => {
      if (this.isDue) this.now(null)
    })
  }

  private now(since: number | null): void {
    this.isDue = false
    this.changed(this.shown(since))
    this.showWhich()
  }

  private shown(since: number | null): Shown {
    const isEmpty = !this.photo && this.pad.isEmpty
    if (isEmpty) return { image: null, problem: '', since }
    const pixels = this.photo ?? this.pad.pixels()
    try {
      return { image: imageOf(pixels, this.pack), problem: '', since }
    } catch (error) {
      if (!(error instanceof DrawingError)) throw error
      return { image: null, problem: sentenceOf(error), since }
    }
  }

  private showWhich(): void {
    const hasPhoto = this.photo !== null
    const draws = this.pack.drawing !== null && !hasPhoto
    byId('sheet').hidden = !draws
    byId('drop').hidden = draws
    byId('hint').hidden = !this.pad.isEmpty
    byId('photo-hint').hidden = hasPhoto
    byId('undo-stroke').hidden = !draws
    byId<HTMLButtonElement>('undo-stroke').disabled = this.pad.isEmpty
    byId<HTMLButtonElement>('clear').disabled = this.pad.isEmpty && !hasPhoto
    const canvas = byId<HTMLCanvasElement>('photo')
    if (!this.photo) {
      paint(canvas, null, [1, 1, 1])
      return
    }
    canvas.width = this.photo.width
    canvas.height = this.photo.height
    canvas.getContext('2d')?.putImageData(this.photo, 0, 0)
  }
}
