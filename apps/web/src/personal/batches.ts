import type { Random } from './random'
import type { Samples } from './reservoir'

/** What a training step takes. */
export interface Batch {
  /** float32[B, size], row-major. */
  readonly features: Float32Array
  /** float32[B, classes], one-hot times the weight of the row. */
  readonly labels: Float32Array
  /** How many of the user's samples there are, each once. */
  readonly size: number
}

/** How batches are made: so many rows of the user's samples, and of the package's. */
export interface Mixture {
  readonly own: number
  readonly replayed: number
  readonly numClasses: number
}

/**
 * Yields batches that have each of the user's samples once, in random order.
 *
 * Where a batch has fewer than `own` of them, they are repeated, and each row has weight 1 /
 * (number of its copies). Rows of zeros with weight 0 would do for most heads, but one that divides
 * by the norm of a row makes NaN of them, which no weight of 0 takes away. The rows of the
 * package's then weigh less, too, so that their share is the same in all batches.
 *
 * @param samples the user's, at least one
 * @param replay the package's; null where `replayed` is 0
 */
export function* epochOf(
  { own, replayed, numClasses }: Mixture,
  samples: Samples,
  replay: Samples | null,
  random: Random,
): Generator<Batch> {
  const order = random.order(samples.labels.length)
  const starts = order.flatMap((_, index) => (index % own ? [] : [index]))
  const drawn = replay ? balanced(replay.labels, starts.length * replayed, random) : []
  const size = samples.features.length / samples.labels.length
  for (const [number, start] of starts.entries()) {
    const chosen = order.slice(start, start + own)
    const features = new Float32Array((own + replayed) * size)
    const labels = new Float32Array((own + replayed) * numClasses)
    const put = (row: number, from: Samples, place: number, weight: number): void => {
      features.set(from.features.subarray(place * size, (place + 1) * size), row * size)
      labels[row * numClasses + (from.labels[place] as number)] = weight
    }
    for (let row = 0; row < own; row++) {
      const turn = row % chosen.length
      const copies = Math.ceil((own - turn) / chosen.length)
      put(row, samples, chosen[turn] as number, 1 / copies)
    }
    for (let row = 0; replay && row < replayed; row++) {
      const place = drawn[number * replayed + row] as number
      put(own + row, replay, place, chosen.length / own)
    }
    yield { features, labels, size: chosen.length }
  }
}

/** Returns `count` places in `labels`, of each class as many as of the others, or one more. */
function balanced(labels: Int32Array, count: number, random: Random): number[] {
  const places = new Map<number, number[]>()
  labels.forEach((label, place) => {
    const known = places.get(label)
    if (known) known.push(place)
    else places.set(label, [place])
  })
  const classes = [...places.values()]
  const drawn: number[] = []
  while (drawn.length < count) {
    for (const each of random.order(classes.length)) {
      const ofClass = classes[each] as number[]
      drawn.push(ofClass[random.below(ofClass.length)] as number)
    }
  }
  return drawn.slice(0, count)
}
