import assert from 'node:assert/strict'
import { test } from 'node:test'
import { epochOf, type Batch } from '../src/personal/batches'
import { asFloats } from '../src/personal/images'
import { Random } from '../src/personal/random'
import { Reservoir, type Samples } from '../src/personal/reservoir'
import { breathe } from '../src/personal/turns'
import { softmax } from '../src/runtime/softmax'

const CLASSES = 4

/** Samples of one feature each, which is `start` and the numbers behind it. */
function samplesOf(labels: number[], start: number): Samples {
  const features = Float32Array.from(labels, (_, index) => start + index)
  return { features, labels: Int32Array.from(labels) }
}

function rowsOf(batch: Batch): { feature: number; label: number; weight: number }[] {
  return Array.from(batch.features, (feature, row) => {
    const weights = Array.from(batch.labels.slice(row * CLASSES, (row + 1) * CLASSES))
    const label = weights.findIndex(Boolean)
    assert.ok(weights.every((weight, place) => (place === label ? weight > 0 : weight === 0)))
    return { feature, label, weight: weights[label]! }
  })
}

function total(rows: { weight: number }[]): number {
  return rows.reduce((sum, { weight }) => sum + weight, 0)
}

test('an epoch has each sample once, by weight, and as many of each known class', () => {
  const samples = samplesOf([3, 3, 3, 3, 3, 3, 3, 0, 0, 0, 0], 0)
  const replay = samplesOf(
    Array.from({ length: 30 }, (_, index) => index % 3),
    1000,
  )
  const mixture = { own: 5, replayed: 3, numClasses: CLASSES }
  const batches = [...epochOf(mixture, samples, replay, new Random([0]))]
  assert.deepEqual(
    batches.map((each) => each.size),
    [5, 5, 1],
  )
  const own = batches.flatMap((batch) => rowsOf(batch).slice(0, 5))
  for (const [feature, label] of samples.labels.entries()) {
    const copies = own.filter((row) => row.feature === feature)
    assert.ok(Math.abs(total(copies) - 1) < 1e-6)
    assert.ok(copies.every((row) => row.label === label))
  }
  const replayed = batches.map((batch) => rowsOf(batch).slice(5))
  assert.deepEqual(
    replayed.map((rows) => rows.map((row) => row.label).sort()),
    Array(3).fill([0, 1, 2]),
  )
  assert.ok(replayed.flat().every((row) => row.label === (row.feature - 1000) % 3))
  assert.deepEqual(
    replayed.map((rows) => rows[0]!.weight),
    [1, 1, Math.fround(0.2)],
  )
})

test('without replay a batch is the samples alone, which are repeated until it is full', () => {
  const mixture = { own: 8, replayed: 0, numClasses: CLASSES }
  const [batch, ...others] = epochOf(mixture, samplesOf([0, 1, 2], 0), null, new Random([1]))
  assert.equal(others.length, 0)
  const rows = rowsOf(batch!)
  for (const feature of [0, 1, 2]) {
    assert.ok(Math.abs(total(rows.filter((row) => row.feature === feature)) - 1) < 1e-6)
  }
  assert.equal(rows.length, 8)
})

test('each image of a class has the same chance to be kept', () => {
  const kept = new Map<number, number>()
  for (let seed = 0; seed < 600; seed++) {
    const reservoir = new Reservoir(1, 2, 5, seed)
    for (let image = 0; image < 25; image++) reservoir.add(Float32Array.of(image), 1)
    assert.deepEqual(
      [reservoir.seen, reservoir.held],
      [
        [0, 25],
        [0, 5],
      ],
    )
    const { features, labels } = reservoir.samples()
    assert.deepEqual(labels, new Int32Array(5).fill(1))
    for (const image of features) kept.set(image, (kept.get(image) ?? 0) + 1)
  }
  assert.equal(kept.size, 25)
  // 120 are expected of each, with a standard deviation of 9.8.
  for (const times of kept.values()) assert.ok(times > 75 && times < 165)
})

test('a reservoir that was restored goes on as it would have', () => {
  const [one, other] = [new Reservoir(1, 2, 3, 7), new Reservoir(1, 2, 3, 7)]
  for (let image = 0; image < 10; image++) one.add(Float32Array.of(image), image % 2)
  other.restore(one.samples(), one.seen)
  for (let image = 10; image < 40; image++) {
    one.add(Float32Array.of(image), image % 2)
    other.add(Float32Array.of(image), image % 2)
  }
  assert.deepEqual(other.samples(), one.samples())
  const smaller = new Reservoir(1, 2, 2, 7)
  smaller.restore(one.samples(), one.seen)
  assert.deepEqual(smaller.held, [2, 2])
  assert.deepEqual(smaller.seen, one.seen)
})

test('numbers are drawn evenly, and others for other seeds', () => {
  const random = new Random([3, 1])
  const counts = [0, 0, 0, 0, 0]
  for (let turn = 0; turn < 10_000; turn++) counts[random.below(5)]! += 1
  assert.ok(counts.every((count) => Math.abs(count - 2000) < 200))
  const drawn = (seeds: number[]): number => new Random(seeds).below(2 ** 32)
  const seeds = [[0], [1], [0, 0], [0, 1], [1, 0], [2 ** 40], [2 ** 41], []]
  assert.equal(new Set(seeds.map(drawn)).size, seeds.length)
  assert.equal(drawn([5, 6]), drawn([5, 6]))
  assert.deepEqual(
    new Random([1]).order(50).sort((a, b) => a - b),
    [...Array(50).keys()],
  )
})

test('levels become numbers from 0 to 1, and logits probabilities', () => {
  assert.deepEqual(asFloats(Uint8Array.of(0, 51, 255)), Float32Array.of(0, 0.2, 1))
  const large = softmax(Float32Array.of(1000, 1000, 0))
  assert.deepEqual(large, [0.5, 0.5, 0])
})

test('others have their turns', async () => {
  const turn = breathe()
  let turns = 0
  const interval = setInterval(() => (turns += 1), 1)
  const stop = performance.now() + 60
  while (performance.now() < stop) await turn()
  clearInterval(interval)
  assert.ok(turns > 0)
})
