import { Random } from './random'

/** Images as the head sees them: rows of features, and the numbers of their outputs. */
export interface Samples {
  /** Row-major, so many rows as there are labels. */
  readonly features: Float32Array
  readonly labels: Int32Array
}

/**
 * Of each class at most `perClass` samples, each of those seen with the same chance.
 *
 * That is Vitter's algorithm R (Random Sampling with a Reservoir, ACM TOMS 11(1), 1985), class by
 * class. What it draws depends on nothing but the seed, the class and how many it has seen of it,
 * so that a reservoir that was exported and imported goes on as it would have.
 */
export class Reservoir {
  private slots: Float32Array[][]
  private counts: number[]

  constructor(
    private readonly size: number,
    numClasses: number,
    private readonly perClass = 50,
    private readonly seed = 0,
  ) {
    this.slots = Array.from({ length: numClasses }, () => [])
    this.counts = Array.from({ length: numClasses }, () => 0)
  }

  /** How many samples of each class were added. */
  get seen(): readonly number[] {
    return this.counts
  }

  /** How many samples it holds of each class. */
  get held(): readonly number[] {
    return this.slots.map((slots) => slots.length)
  }

  /**
   * Adds a sample, in place of another one or not at all where its class is full.
   *
   * @returns what makes it as it was before; to be called in the reverse order
   */
  add(features: Float32Array, label: number): () => void {
    const slots = this.slots[label] as Float32Array[]
    const seen = (this.counts[label] as number) + 1
    this.counts[label] = seen
    const uncount = (): void => {
      this.counts[label] = seen - 1
    }
    const isFull = slots.length >= this.perClass
    const place = isFull ? new Random([this.seed, label, seen]).below(seen) : slots.length
    if (place >= this.perClass) return uncount
    const before = slots[place]
    slots[place] = features
    return () => {
      uncount()
      if (before) slots[place] = before
      else slots.pop()
    }
  }

  /** Returns what it holds, class by class. */
  samples(): Samples {
    const rows = this.slots.flat()
    const features = new Float32Array(rows.length * this.size)
    rows.forEach((row, index) => features.set(row, index * this.size))
    const labels = this.slots.flatMap((slots, label) => slots.map(() => label))
    return { features, labels: Int32Array.from(labels) }
  }

  /** Takes the place of what it holds; of a class that it has no room for, the first stay. */
  restore(samples: Samples, seen: ArrayLike<number>): void {
    this.counts = Array.from(seen)
    this.slots = this.counts.map(() => [])
    samples.labels.forEach((label, index) => {
      const slots = this.slots[label] as Float32Array[]
      const row = samples.features.slice(index * this.size, (index + 1) * this.size)
      if (slots.length < this.perClass) slots.push(row)
    })
  }
}
