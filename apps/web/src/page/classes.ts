// The classes of a lesson: a name, how many samples, and small pictures of the last ones.

import { byId, make } from './dom'
import { paint } from './seen'
import type { PersonalModel } from '../personal/client'

const MOST_PICTURES = 24 // of a class

interface Sample {
  readonly name: string
  readonly image: Float32Array
}

export class Classes {
  // Images are held as long as the page is open; the model keeps only what its base makes of them.
  private samples: Sample[] = []
  private readonly list = byId('classes')
  private readonly names = byId('class-names')

  constructor(
    private readonly model: PersonalModel,
    private readonly choose: (name: string) => void,
  ) {
    this.show()
  }

  add(name: string, image: Float32Array): void {
    this.samples.push({ name, image })
    this.show()
  }

  undo(): void {
    this.samples.pop()
    this.show()
  }

  clear(): void {
    this.samples = []
    this.show()
  }

  show(): void {
    const { classNames, counts, freeOutputs, manifest } = this.model
    const known = new Set(manifest.labelNames)
    this.names.replaceChildren(
      ...classNames.map((name) => {
        const option = make('option')
        option.value = name
        return option
      }),
    )
    byId('places').textContent = freeOutputs
      ? `It knows ${classNames.join(', ')}, and has room for ${freeOutputs} new ${freeOutputs === 1 ? 'class' : 'classes'}.`
      : `It knows ${classNames.join(', ')}, and has no room for new classes.`
    const taught = classNames
      .map((name, index) => ({ name, count: counts[index] ?? 0 }))
      .filter(({ name, count }) => count || !known.has(name))
    this.list.replaceChildren(...taught.map((each) => this.item(each.name, each.count)))
  }

  private item(name: string, count: number): HTMLLIElement {
    const item = make('li', 'class')
    const title = make('p')
    title.append(make('strong', '', name), ' ', make('span', 'count', samplesOf(count)))
    const more = make('button', '', 'Teach more')
    more.type = 'button'
    more.setAttribute('aria-label', `Teach more of ${name}`)
    more.addEventListener('click', () => this.choose(name))
    item.dataset.name = name
    item.append(title, more)
    const own = this.samples.filter((sample) => sample.name === name).slice(-MOST_PICTURES)
    if (own.length) {
      const pictures = make('div', 'thumbs')
      pictures.setAttribute('aria-hidden', 'true')
      for (const { image } of own) {
        const canvas = make('canvas')
        paint(canvas, image, this.model.manifest.imageShape as [number, number, number])
        pictures.append(canvas)
      }
      item.append(pictures)
    }
    return item
  }
}

export function samplesOf(count: number): string {
  return `${count} ${count === 1 ? 'sample' : 'samples'}`
}
