// The pushed models: which are loaded, and what they say.

import { answerOf, consensusOf, type Answer, type Consensus } from './answers'
import { bytes, make, percent, sentenceOf } from './dom'
import { fetched, type Facts } from './facts'
import { isKept } from './offline'
import { Row } from './row'
import { microsecondsOf } from './timing'
import type { DevicePackage, PackedModel } from '../runtime/device_package'
import type { Runtime } from '../runtime/litert'
import type { Model } from '../runtime/model'

const UNASKED_BYTES = 4e6 // of all that is loaded before somebody asks for more

interface Entry {
  readonly packed: PackedModel
  readonly row: Row
  readonly address: string
  readonly wire: number
  model: Model | null
  isDone: boolean // loaded, or never to be
}

export class Models {
  private readonly entries: Entry[]
  private spent: number

  // `spent` are the bytes that the page and the runtime took; `changed` is called when a model came.
  constructor(
    facts: Facts,
    private readonly pack: DevicePackage,
    private readonly runtime: Runtime,
    list: HTMLElement,
    spent: number,
    private readonly changed: () => void,
  ) {
    this.spent = spent
    this.entries = pack.models.map((packed) => {
      const address = facts.device + packed.file
      const wire = facts.bytes[address] ?? packed.bytes ?? 0
      const { accuracy } = packed.metrics
      const row = new Row(packed.name, packed.name.replaceAll('_', ' '), [
        ...(packed.bytes === null ? [] : [bytes(packed.bytes)]),
        ...(accuracy === undefined ? [] : [`${percent(accuracy)} accurate`]),
      ])
      row.element.title = packed.summary
      list.append(row.element)
      return { packed, row, address, wire, model: null, isDone: false }
    })
    for (const entry of this.entries) this.leaveOutWhatCannotRun(entry)
  }

  get waiting(): number {
    return this.open.reduce((sum, entry) => sum + entry.wire, 0)
  }

  // Loads the smallest first, as far as that costs little, and offers the rest.
  async loadWhatIsCheap(): Promise<void> {
    for (const entry of this.open) {
      const isFree = await isKept(entry.address)
      if (isFree || this.spent + entry.wire <= UNASKED_BYTES) await this.load(entry, isFree)
      else this.offer(entry)
    }
  }

  async loadRest(): Promise<void> {
    for (const entry of this.open) await this.load(entry, false)
  }

  // Returns what each model says of an image; null as soon as `isLate` says that nobody waits for it.
  async ask(image: Float32Array, isLate: () => boolean): Promise<Answer[] | null> {
    const answers: Answer[] = []
    for (const entry of this.entries) {
      if (!entry.model) continue
      if (isLate()) return null
      try {
        answers.push(await this.run(entry.packed.name, entry.model, image))
      } catch (error) {
        this.drop(entry, error)
      }
    }
    return answers
  }

  // Shows answers, also that of another row, and returns what they come to.
  show(answers: readonly Answer[], own: Answer | null, ownRow: Row | null): Consensus {
    const found = consensusOf(answers, own)
    const known = this.pack.labels
    for (const row of [...this.entries.map((entry) => entry.row), ...(ownRow ? [ownRow] : [])]) {
      const answer = row === ownRow ? own : answers.find((each) => each.name === row.name)
      if (answer) row.show(answer)
      const label = answer?.labels[answer.first] ?? null
      row.mark(found.isSplit && label !== null && label !== found.label && known.includes(label))
    }
    return found
  }

  clear(): void {
    for (const { row, model } of this.entries) if (model) row.clear()
  }

  // Takes the time of each model, one after the other.
  async time(image: Float32Array, isLate: () => boolean): Promise<void> {
    for (const { packed, row, model } of this.entries) {
      if (!model) continue
      const time = await microsecondsOf(() => this.run(packed.name, model, image), isLate)
      if (time === null) return
      row.time(time)
    }
  }

  private get open(): Entry[] {
    return this.entries.filter((entry) => !entry.isDone).sort((a, b) => a.wire - b.wire)
  }

  private async run(name: string, model: Model, image: Float32Array): Promise<Answer> {
    const outputs = await model.run(null, { [this.pack.inputName]: image })
    const logits = outputs[this.pack.outputName] ?? Object.values(outputs)[0]
    if (!(logits instanceof Float32Array) || logits.length < this.pack.labels.length) {
      throw new Error(`${name} gives no number for each label; push the models anew`)
    }
    return answerOf(name, this.pack.labels, logits)
  }

  private leaveOutWhatCannotRun(entry: Entry): void {
    const odd = [entry.packed.input, entry.packed.output].find((t) => t.dtype !== 'float32')
    if (!odd) {
      entry.row.off('Waiting …')
      return
    }
    entry.isDone = true
    entry.row.off(
      `Takes and gives ${odd.dtype}, which LiteRT.js has no tensors for: browsers cannot run it. ` +
        'It is for microcontrollers; its inside is that of the model with float32 at the border.',
    )
  }

  private offer(entry: Entry, reason = ''): void {
    const button = make('button', 'quiet', `Load ${bytes(entry.wire)}`)
    button.type = 'button'
    button.setAttribute('aria-label', `Load ${entry.packed.name}, ${bytes(entry.wire)}`)
    button.addEventListener('click', () => {
      button.disabled = true
      void this.load(entry, false)
    })
    entry.row.off(reason, button)
  }

  private async load(entry: Entry, isFree: boolean): Promise<void> {
    if (entry.isDone) return
    const { name, sha256 } = entry.packed
    entry.isDone = true
    entry.row.off('Loading …')
    let content: Uint8Array
    try {
      content = await fetched(entry.address, name)
    } catch (error) {
      entry.isDone = false
      this.offer(entry, sentenceOf(error))
      this.changed()
      return
    }
    if (!isFree) this.spent += entry.wire
    try {
      entry.model = await this.runtime.open(content, { name, sha256 })
      entry.row.on(this.pack.labels)
    } catch (error) {
      this.drop(entry, error)
    }
    this.changed()
  }

  private drop(entry: Entry, error: unknown): void {
    entry.model = null
    entry.row.off(sentenceOf(error))
    entry.row.mark(false)
  }
}
