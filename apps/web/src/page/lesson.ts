// A lesson: samples, the training, and the state, which is kept in the browser and as a file.

import type { Asking, Pupil } from './asking'
import { Classes, samplesOf } from './classes'
import { byId, bytes, say, sentenceOf } from './dom'
import type { Input } from './input'
import { Row } from './row'
import { Trainer } from './trainer'
import type { PersonalModel } from '../personal/client'
import type { StateStorage } from '../personal/storage'

const NAME = 'personal'
const FILE = 'mine.safetensors'

export class Lesson implements Pupil {
  readonly row: Row
  private classes!: Classes
  private trainer!: Trainer
  private saving: Promise<void> = Promise.resolve()

  // `storage` is null where the browser gives none, and `problem` says what went wrong there.
  constructor(
    private readonly model: PersonalModel,
    private readonly storage: StateStorage | null,
    private problem: string,
  ) {
    const { manifest } = model
    const facts = [bytes(manifest.bytes), `${manifest.head} head, ${manifest.optimizer}`]
    this.row = new Row(NAME, NAME, facts, true)
    this.row.on(model.classNames)
  }

  begin(input: Input, asking: Asking): void {
    const field = byId<HTMLInputElement>('class-name')
    this.classes = new Classes(this.model, (name) => {
      field.value = name
      byId('input-title').scrollIntoView()
      field.focus({ preventScroll: true })
    })
    const again = () => asking.again()
    this.trainer = new Trainer(this.model, again, () => {
      this.keep()
      this.show()
    })
    byId('models').prepend(this.row.element)
    byId('add').hidden = false
    byId('add').addEventListener('submit', (event) => {
      event.preventDefault()
      void this.add(asking.image, field, input)
    })
    this.onFiles('add-photos', (files) => this.addFiles(files, field, input))
    this.onFiles('import', ([file]) => this.importFile(file!, again))
    byId('undo-sample').addEventListener('click', () => {
      if (this.model.undo()) {
        this.classes.undo()
        this.changed('The last sample is gone.')
        again()
      }
    })
    byId('export').addEventListener('click', () => this.exportFile())
    byId('reset').addEventListener('click', () => void this.reset(again))
    asking.pupil = this
    if (this.model.step) this.trainer.forget(`${this.model.step} steps were taken before.`)
    if (this.problem) say(this.problem, 'problem')
    this.show()
    again()
  }

  async answer(image: Float32Array): ReturnType<Pupil['answer']> {
    const guesses = await this.model.infer(image)
    const shares = guesses.map((guess) => guess.probability)
    return {
      name: NAME,
      labels: guesses.map((guess) => guess.name),
      logits: new Float32Array(0),
      shares,
      first: shares.indexOf(Math.max(...shares)),
    }
  }

  private async add(
    image: Float32Array | null,
    field: HTMLInputElement,
    input: Input,
  ): Promise<void> {
    const name = this.nameIn(field)
    if (!name) return
    if (!image) {
      say('There is nothing to add: draw, or choose a picture first.', 'problem')
      return
    }
    if (await this.taught(image, name)) {
      input.clear()
      this.changed(`${name}: ${samplesOf(this.countOf(name))}.`)
    }
  }

  private async addFiles(files: File[], field: HTMLInputElement, input: Input): Promise<void> {
    const name = this.nameIn(field)
    if (!name) return
    let added = 0
    for (const file of files) {
      try {
        if (!(await this.taught(await input.imageOfFile(file), name))) break
        added += 1
      } catch (error) {
        const sentence = sentenceOf(error)
        say(sentence.includes(file.name) ? sentence : `“${file.name}”: ${sentence}`, 'problem')
      }
    }
    if (added) this.changed(`${name}: ${samplesOf(this.countOf(name))}.`)
  }

  private async taught(image: Float32Array, name: string): Promise<boolean> {
    try {
      await this.model.add(image, name)
      this.classes.add(name, image)
      return true
    } catch (error) {
      say(sentenceOf(error), 'problem')
      return false
    }
  }

  private nameIn(field: HTMLInputElement): string {
    const name = field.value.trim()
    field.setAttribute('aria-invalid', String(!name))
    if (!name) {
      say('Say first which class it is of: the name of one, or of a new one.', 'problem')
      field.focus()
    }
    return name
  }

  private countOf(name: string): number {
    return this.model.counts[this.model.classNames.indexOf(name)] ?? 0
  }

  private async importFile(file: File, again: () => void): Promise<void> {
    try {
      this.model.importState(new Uint8Array(await file.arrayBuffer()), `“${file.name}”`)
    } catch (error) {
      say(sentenceOf(error), 'problem')
      return
    }
    this.classes.clear()
    this.trainer.forget(`Imported, ${this.model.step} steps in all.`)
    this.problem = ''
    this.changed(`“${file.name}” was imported.`)
    again()
  }

  private exportFile(): void {
    const link = document.createElement('a')
    const content = new Blob([this.model.exportState()], { type: 'application/octet-stream' })
    link.href = URL.createObjectURL(content)
    link.download = FILE
    link.click()
    window.setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
  }

  private async reset(again: () => void): Promise<void> {
    if (!window.confirm('Forget all samples and all training? An exported file stays.')) return
    try {
      this.model.reset()
      await this.storage?.remove(this.model.manifest.sha256)
    } catch (error) {
      say(sentenceOf(error), 'problem')
      return
    }
    this.problem = ''
    this.classes.clear()
    this.trainer.forget('Nothing was trained yet.')
    this.show()
    again()
  }

  private changed(sentence: string): void {
    byId('added').textContent = sentence
    this.show()
    this.keep()
  }

  private show(): void {
    this.classes.show()
    this.trainer.show()
    byId<HTMLButtonElement>('undo-sample').disabled = !this.model.canUndo
    for (const id of ['reset', 'import']) {
      byId<HTMLButtonElement>(id).disabled = this.trainer.isRunning
    }
  }

  // One save at a time; a state that cannot be kept leaves the one from before.
  private keep(): void {
    const { storage } = this
    const status = byId('saved')
    if (!storage || this.problem) {
      status.textContent = 'It is not saved in this browser; export it to keep it.'
      return
    }
    this.saving = this.saving.then(async () => {
      try {
        await storage.save(this.model.manifest.sha256, this.model.exportState())
        // Asks the browser not to drop it when room gets scarce.
        void navigator.storage?.persist?.()
        status.textContent = `Saved in this browser at ${new Date().toLocaleTimeString()}.`
      } catch (error) {
        status.textContent = 'The last change is not saved.'
        say(sentenceOf(error), 'problem')
      }
    })
  }

  private onFiles(id: string, take: (files: File[]) => Promise<void>): void {
    const field = byId<HTMLInputElement>(id)
    field.addEventListener('change', () => {
      const files = [...(field.files ?? [])]
      field.value = ''
      if (files.length) void take(files)
    })
  }
}
