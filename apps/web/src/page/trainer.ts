// Train, pause, stop: and what comes of it, step by step.

import { Curve } from './curve'
import { byId, percent, say, sentenceOf } from './dom'
import type { PersonalModel } from '../personal/client'

const SHOWN_MS = 100 // between two changes of the text

export class Trainer {
  private readonly curve = new Curve(document.querySelector<SVGSVGElement>('#curve')!)
  private readonly train = byId<HTMLButtonElement>('train')
  private readonly pause = byId<HTMLButtonElement>('pause')
  private readonly stop = byId<HTMLButtonElement>('stop')
  private readonly progress = byId('progress')
  private control: AbortController | null = null
  private left = 0 // epochs, of a training that rests
  private wanted = 0 // epochs of it in all
  private isPausing = false

  // `changed` is called after each epoch, and `ended` when it rests or has ended.
  constructor(
    private readonly model: PersonalModel,
    private readonly changed: () => void,
    private readonly ended: () => void,
  ) {
    const epochs = byId<HTMLInputElement>('epochs')
    epochs.addEventListener('input', () => {
      byId('epochs-shown').textContent = epochs.value
    })
    this.train.addEventListener('click', () => {
      this.curve.clear()
      this.wanted = this.left = Number(epochs.value)
      void this.run()
    })
    this.pause.addEventListener('click', () => {
      if (!this.control) {
        void this.run()
        return
      }
      this.isPausing = true
      this.control.abort()
    })
    this.stop.addEventListener('click', () => {
      if (this.control) this.control.abort()
      else this.forget('Stopped.')
    })
    this.show()
  }

  get isRunning(): boolean {
    return this.control !== null
  }

  // Is called when samples came or went.
  show(): void {
    const has = this.model.counts.some((count) => count > 0)
    this.train.disabled = this.isRunning || !has
    this.pause.disabled = !this.isRunning && !this.left
    this.pause.textContent = this.isRunning || !this.left ? 'Pause' : 'Continue'
    this.stop.disabled = !this.isRunning && !this.left
  }

  // Drops a training that rests, as the model is another one now.
  forget(sentence: string): void {
    this.left = 0
    this.progress.textContent = sentence
    this.show()
  }

  private async run(): Promise<void> {
    this.control = new AbortController()
    this.isPausing = false
    this.show()
    const done = this.wanted - this.left
    let told = 0
    try {
      const start = performance.now()
      const result = await this.model.train(this.left, {
        signal: this.control.signal,
        onStep: ({ step, steps, loss }) => {
          if (performance.now() - told < SHOWN_MS) return
          told = performance.now()
          byId('loss').textContent = loss.toFixed(3)
          this.progress.textContent = `Training: step ${step} of ${steps} …`
        },
        onEpoch: ({ loss, accuracy }) => {
          this.curve.add(loss, accuracy)
          byId('loss').textContent = loss.toFixed(3)
          byId('accuracy').textContent = percent(accuracy)
          this.changed()
        },
      })
      performance.measure('training', { start, end: performance.now() })
      this.left -= result.epochs.length
      this.tell(done + result.epochs.length, result.isStopped)
    } catch (error) {
      this.left = 0
      this.progress.textContent = 'The training ended early.'
      say(sentenceOf(error), 'problem')
    } finally {
      this.control = null
      this.show()
      this.ended()
    }
  }

  private tell(epochs: number, isStopped: boolean): void {
    const steps = `${this.model.step.toLocaleString('en')} steps in all`
    if (isStopped && this.isPausing) {
      this.progress.textContent = `Resting after ${epochs} of ${this.wanted} epochs, ${steps}.`
      return
    }
    this.left = 0
    const how = isStopped ? 'Stopped after' : 'Trained for'
    this.progress.textContent = `${how} ${epochs} epochs, ${steps}.`
  }
}
