import { epochOf, type Batch, type Mixture } from './batches'
import type { Random } from './random'
import type { Samples } from './reservoir'
import { breathe } from './turns'

/** What a step came to: the loss before it, and which of how many of this training it was. */
export interface StepResult {
  /** From 1. */
  readonly step: number
  readonly steps: number
  readonly loss: number
}

/** What an epoch came to. */
export interface EpochResult {
  /** From 1. */
  readonly epoch: number
  /** The mean of its steps', each before the step. */
  readonly loss: number
  /** Share of the user's own samples that are told right after it. */
  readonly accuracy: number
}

export interface TrainOptions {
  readonly onStep?: (result: StepResult) => void
  readonly onEpoch?: (result: EpochResult) => void
  /** Stops the training between two steps. */
  readonly signal?: AbortSignal
}

export interface TrainResult {
  readonly epochs: readonly EpochResult[]
  /** Whether `signal` stopped it; the steps that were taken count. */
  readonly isStopped: boolean
}

/** What is trained, step by step. */
export interface Trainee {
  /** Takes a step, and returns the loss before it. */
  trainBatch(batch: Batch): Promise<number>
  /** Returns the number of the output that features float32[size] are told to be. */
  told(features: Float32Array): Promise<number>
  /** What an epoch draws from. */
  random(): Random
}

/** What it is trained on. */
export interface Lesson {
  /** The user's, at least one. */
  readonly samples: Samples
  /** The package's own. */
  readonly replay: Samples | null
  readonly mixture: Mixture
  readonly epochs: number
}

/** Trains epoch by epoch; whatever `trainBatch` throws ends it. */
export async function trainEpochs(
  trainee: Trainee,
  { samples, replay, mixture, epochs }: Lesson,
  { onStep, onEpoch, signal }: TrainOptions,
): Promise<TrainResult> {
  const { length } = samples.labels
  const steps = epochs * Math.ceil(length / mixture.own)
  const results: EpochResult[] = []
  const turn = breathe()
  let taken = 0
  for (let epoch = 1; epoch <= epochs; epoch++) {
    let total = 0
    for (const batch of epochOf(mixture, samples, replay, trainee.random())) {
      if (signal?.aborted) return { epochs: results, isStopped: true }
      const loss = await trainee.trainBatch(batch)
      total += batch.size * loss
      onStep?.({ step: ++taken, steps, loss })
      await turn()
    }
    const accuracy = await accuracyOn(samples, trainee, turn)
    const result = { epoch, loss: total / length, accuracy }
    results.push(result)
    onEpoch?.(result)
  }
  return { epochs: results, isStopped: false }
}

async function accuracyOn(
  { features, labels }: Samples,
  trainee: Trainee,
  turn: () => Promise<void>,
): Promise<number> {
  const size = features.length / labels.length
  let right = 0
  for (const [index, label] of labels.entries()) {
    const row = features.slice(index * size, (index + 1) * size)
    if ((await trainee.told(row)) === label) right += 1
    await turn()
  }
  return right / labels.length
}
