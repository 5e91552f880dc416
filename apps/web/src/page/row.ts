// A model's row: its name, what it says, a bar for each class, and what it costs.

import type { Answer } from './answers'
import { make, percent } from './dom'

const MOST_RISING = 16 // labels
const LONGEST_RISING = 8 // characters
const LONGEST_FLAT = 3 // longer ones stand upright

export class Row {
  readonly element = make('li', 'model')
  private readonly badge = make('span', 'badge', 'disagrees')
  private readonly label = make('strong', '', '–')
  private readonly share = make('span')
  private readonly facts = make('p', 'facts')
  private readonly why = make('p', 'why')
  private readonly bars = make('ul', 'bars')
  private readonly body = make('div')
  private fills: HTMLElement[] = []
  private labels: readonly string[] = []

  constructor(
    readonly name: string,
    title: string,
    private readonly fixed: readonly string[], // facts that do not change
    own = false,
  ) {
    const heading = make('h3', 'name', title)
    if (own) {
      this.element.classList.add('personal')
      heading.append(make('span', 'badge own', 'yours'))
    }
    heading.append(this.badge)
    const said = make('p', 'said')
    said.append(this.label, this.share)
    this.body.append(heading, said, this.facts)
    this.element.dataset.model = name
    this.element.append(this.body, this.bars, this.why)
    this.bars.setAttribute('aria-label', `What ${title} gives each class`)
    this.badge.hidden = true
    this.time(null)
    this.off('')
  }

  // The model does not run (yet): `reason` says why, `action` may change that.
  off(reason: string, action?: HTMLButtonElement): void {
    this.element.classList.add('off')
    this.why.textContent = reason
    this.why.hidden = !reason
    this.bars.hidden = true
    this.label.parentElement!.hidden = true
    this.element.querySelector(':scope > button')?.remove()
    if (action) this.body.after(action)
  }

  on(labels: readonly string[]): void {
    this.element.classList.remove('off')
    this.element.querySelector(':scope > button')?.remove()
    this.why.hidden = true
    this.bars.hidden = false
    this.label.parentElement!.hidden = false
    this.nameBars(labels)
    this.clear()
  }

  clear(): void {
    this.label.textContent = '–'
    this.share.textContent = ''
    this.mark(false)
    for (const [index, fill] of this.fills.entries()) this.fill(fill, index, 0, false)
  }

  show(answer: Answer): void {
    this.nameBars(answer.labels)
    this.label.textContent = answer.labels[answer.first] ?? '?'
    this.share.textContent = percent(answer.shares[answer.first] ?? 0)
    answer.shares.forEach((share, index) => {
      this.fill(this.fills[index]!, index, share, index === answer.first)
    })
  }

  mark(differs: boolean): void {
    this.element.classList.toggle('differs', differs)
    this.badge.hidden = !differs
  }

  // `microseconds` of one image.
  time(microseconds: number | null): void {
    const time = microseconds === null ? [] : [`${Math.round(microseconds).toLocaleString('en')} µs`]
    const facts = [...time, ...this.fixed].map((text) => make('span', '', text))
    this.facts.replaceChildren(...facts.flatMap((fact, i) => (i ? [' · ', fact] : [fact])))
  }

  private fill(fill: HTMLElement, index: number, share: number, isFirst: boolean): void {
    const item = this.bars.children[index]!
    item.classList.toggle('first', isFirst)
    fill.style.setProperty('--share', share.toFixed(4))
    const data = item.lastElementChild as HTMLDataElement
    data.textContent = percent(share)
    data.value = String(share)
  }

  private nameBars(labels: readonly string[]): void {
    if (labels.length === this.labels.length && labels.every((l, i) => l === this.labels[i])) return
    this.labels = labels
    const rises =
      labels.length <= MOST_RISING && labels.every((label) => label.length <= LONGEST_RISING)
    const isFlat = labels.every((label) => label.length <= LONGEST_FLAT)
    this.bars.className = `bars ${!rises ? 'rows' : isFlat ? 'rise' : 'rise words'}`
    // What scrolls has to be within reach of a keyboard.
    if (rises) this.bars.removeAttribute('tabindex')
    else this.bars.tabIndex = 0
    this.fills = labels.map(() => make('span', 'fill'))
    this.bars.replaceChildren(
      ...labels.map((label, index) => {
        const item = make('li')
        const track = make('span', 'track')
        track.append(this.fills[index]!)
        const name = make('span', label.length > LONGEST_FLAT ? 'label long' : 'label', label)
        name.title = label
        item.append(...(rises ? [track, name] : [name, track]), make('data', 'share'))
        return item
      }),
    )
  }
}
