// Has the models told what is shown, the newest image first, and shows what they say.

import type { Answer } from './answers'
import { byId, sentenceOf } from './dom'
import type { Shown } from './input'
import type { Models } from './models'
import type { Row } from './row'
import type { Seen } from './seen'
import { microsecondsOf } from './timing'

const PAUSE_MS = 250 // after which times are taken

// A model that is asked beside the pushed ones.
export interface Pupil {
  readonly row: Row
  answer(image: Float32Array): Promise<Answer | null>
}

export class Asking {
  pupil: Pupil | null = null
  private newest: Shown = { image: null, problem: '', since: null }
  private isDue = false
  private isBusy = false
  private timer = 0

  constructor(
    private readonly models: Models,
    private readonly seen: Seen,
    private readonly emptySentence: string,
  ) {}

  get image(): Float32Array | null {
    return this.newest.image
  }

  ask(shown: Shown): void {
    this.newest = shown
    this.again()
  }

  // Asks for the same image once more, as a model has come or has changed.
  again(): void {
    window.clearTimeout(this.timer)
    this.isDue = true
    byId('models').setAttribute('aria-busy', 'true')
    if (!this.isBusy) void this.work()
  }

  private async work(): Promise<void> {
    this.isBusy = true
    try {
      while (this.isDue) {
        this.isDue = false
        await this.answer(this.newest)
      }
    } catch (error) {
      this.say(sentenceOf(error), false)
    } finally {
      this.isBusy = false
      byId('models').setAttribute('aria-busy', 'false')
    }
    const { image } = this.newest
    if (image) {
      this.timer = window.setTimeout(() => void this.time(image), PAUSE_MS)
    }
  }

  private async time(image: Float32Array): Promise<void> {
    const isLate = () => this.isDue || this.isBusy
    await this.models.time(image, isLate)
    const { pupil } = this
    const time = pupil && (await microsecondsOf(() => pupil.answer(image), isLate))
    if (time) pupil?.row.time(time)
  }

  private async answer({ image, problem, since }: Shown): Promise<void> {
    if (!image) {
      this.seen.show(null, 'empty')
      this.models.clear()
      this.pupil?.row.clear()
      this.models.show([], null, this.pupil?.row ?? null)
      this.say(problem || this.emptySentence, false)
      return
    }
    // While a stroke grows, a longer one may be there already.
    const isLate = () => this.isDue && since === null
    const answers = await this.models.ask(image, isLate)
    if (!answers) return
    const own = (await this.pupil?.answer(image)) ?? null
    if (isLate()) return
    const found = this.models.show(answers, own, this.pupil?.row ?? null)
    this.seen.show(image, found.label ? `they see ${found.label}` : 'a figure')
    if (since !== null) {
      performance.measure('prediction', { start: since, end: performance.now() })
    }
    // While a stroke grows nothing is read out.
    this.say(found.sentence || this.emptySentence, found.isSplit, since === null)
  }

  private say(sentence: string, isSplit: boolean, isQuiet = false): void {
    const verdict = byId('verdict')
    verdict.setAttribute('aria-live', isQuiet ? 'off' : 'polite')
    verdict.classList.toggle('split', isSplit)
    if (verdict.textContent !== sentence) verdict.textContent = sentence
  }
}
