import type { Runtime } from '../runtime/litert'
import { softmax } from '../runtime/softmax'
import { PersonalError } from './errors'
import { checkImage } from './images'
import type { Manifest } from './manifest'
import { openPackage, type OpenPackage, type PackageFiles, type PersonalOptions } from './package'
import { Random } from './random'
import { Reservoir } from './reservoir'
import { readState, writeState, type PersonalState, type Values } from './state'
import { trainEpochs, type TrainOptions, type TrainResult } from './training'

export interface Guess {
  readonly name: string
  readonly probability: number
}

/**
 * A package `personal/<version>/`, with what its user's training made of it.
 *
 * Whatever is wrong, it throws PersonalError (or RuntimeError, where the runtime has to say it)
 * with one sentence, and is as it was before the call. Images are not kept, their features are.
 * The same calls give the same numbers.
 */
export class PersonalModel {
  private names: readonly string[] = []
  private steps = 0
  private values: Values = {}
  private reservoir!: Reservoir
  private undoing: (() => void)[] = []
  private isTraining = false

  private constructor(
    private readonly opened: OpenPackage,
    private readonly options: PersonalOptions,
  ) {
    this.take(this.opened.expected.fresh)
  }

  /**
   * Opens a package, as it is before any training.
   *
   * @throws PersonalError the package is damaged, or has no room for such a share in a batch
   * @throws RuntimeError its model is damaged, or the runtime cannot run it
   */
  static async open(
    files: PackageFiles,
    runtime: Runtime,
    options: PersonalOptions = {},
  ): Promise<PersonalModel> {
    return new PersonalModel(await openPackage(files, runtime, options), options)
  }

  get manifest(): Manifest {
    return this.opened.manifest
  }

  /** The classes that have a name, in the order of the outputs. */
  get classNames(): readonly string[] {
    return this.names
  }

  /** How many samples of each of `classNames` are held. */
  get counts(): readonly number[] {
    return this.reservoir.held.slice(0, this.names.length)
  }

  /** How many outputs have no name yet. */
  get freeOutputs(): number {
    return this.manifest.numClasses - this.names.length
  }

  /** How many training steps were taken. */
  get step(): number {
    return this.steps
  }

  /** Whether `undo` would do something. */
  get canUndo(): boolean {
    return this.undoing.length > 0
  }

  /** Forgets all that the user's training made. */
  reset(): void {
    this.refuseWhileTraining('be reset')
    this.take(this.opened.expected.fresh)
  }

  /**
   * Keeps an image's features to train on.
   *
   * @param image float32 of height * width * channels, from 0 to 1; see `asFloats`
   * @param name of its class; a new one takes the next free output
   */
  async add(image: Float32Array, name: string): Promise<void> {
    if (typeof name !== 'string' || !name.trim()) {
      throw new PersonalError(`the label is '${name}', expected the name of a class`)
    }
    checkImage(image, this.manifest.imageShape)
    this.refuseWithoutOutput(name)
    const { reservoir } = this
    const features = await this.opened.signatures.features(image)
    // While it waited, a state may have been imported, or another class have taken the output.
    if (reservoir !== this.reservoir) throw new PersonalError('the state was replaced meanwhile')
    this.refuseWithoutOutput(name)
    const before = this.names
    if (!before.includes(name)) this.names = [...before, name]
    const undo = this.reservoir.add(features, this.names.indexOf(name))
    this.undoing.push(() => {
      undo()
      this.names = before
    })
  }

  /**
   * Takes the last sample back, and its class where that came with it. What was trained stays.
   *
   * @returns false where there is none; samples of an imported state are not taken back
   */
  undo(): boolean {
    const last = this.undoing.pop()
    last?.()
    return last !== undefined
  }

  /**
   * Trains on what was added, and on the package's replay. In between, others have their turns.
   *
   * @param epochs how often each of the user's samples is seen
   * @throws PersonalError nothing was added, or a step gives numbers that are not finite: then the
   *   model is as it was before this step
   */
  async train(epochs: number, options: TrainOptions = {}): Promise<TrainResult> {
    if (!Number.isSafeInteger(epochs) || epochs < 1) {
      throw new PersonalError(`epochs is ${epochs}, expected a whole number above 0`)
    }
    this.refuseWhileTraining('be trained once more')
    const samples = this.reservoir.samples()
    if (!samples.labels.length) {
      throw new PersonalError('there is nothing to train on; add images first')
    }
    this.isTraining = true
    try {
      const { mixture, replay } = this.opened
      return await trainEpochs(
        {
          trainBatch: (batch) => this.trainBatch(batch.features, batch.labels),
          told: (features) => this.told(features),
          random: () => new Random([this.options.seed ?? 0, this.steps]),
        },
        { samples, replay, mixture, epochs },
        options,
      )
    } finally {
      this.isTraining = false
    }
  }

  /**
   * Takes one step, on a batch of one's own.
   *
   * @param features float32[B, size], row-major
   * @param labels float32[B, classes], each row zeros but for its class, where its weight is
   * @returns the loss, before the step
   * @throws PersonalError something is not finite: then the model is as it was before
   */
  async trainBatch(features: Float32Array, labels: Float32Array): Promise<number> {
    const { values: before } = this
    try {
      const { values, loss } = await this.opened.signatures.trainStep(features, labels, before)
      if (this.values !== before) throw new PersonalError('another step was taken meanwhile')
      this.values = values
      this.steps += 1
      return loss
    } catch (error) {
      if (!(error instanceof PersonalError)) throw error
      throw new PersonalError(
        `step ${this.steps + 1} was not taken: ${error.message}; the model is as before it`,
        { cause: error },
      )
    }
  }

  /** Returns all outputs for an image, float32[numClasses], free ones included. */
  async logits(image: Float32Array): Promise<Float32Array> {
    checkImage(image, this.manifest.imageShape)
    return this.opened.signatures.logits(await this.opened.signatures.features(image), this.values)
  }

  /** Returns the probability of each class that has a name, in the order of the outputs. */
  async infer(image: Float32Array): Promise<Guess[]> {
    const found = await this.logits(image)
    const probabilities = softmax(found.subarray(0, this.names.length))
    return probabilities.map((probability, place) => ({ name: this.names[place]!, probability }))
  }

  /** Returns the state as a file, which Python's client reads, too. */
  exportState(): Uint8Array<ArrayBuffer> {
    const { expected } = this.opened
    const state = {
      ...expected.fresh,
      ...{ classNames: this.names, step: this.steps, values: this.values },
      ...{ samples: this.reservoir.samples(), seen: this.reservoir.seen },
    }
    return writeState(state, expected)
  }

  /**
   * Takes a state that was exported, here or elsewhere, in place of the one that it has.
   *
   * @param name of the file, for errors
   * @throws PersonalError the file is damaged, or of another model or version; then the one that
   *   it has stays
   */
  importState(content: Uint8Array, name = 'the file'): void {
    this.refuseWhileTraining('take another state')
    this.take(readState(content, this.opened.expected, name))
  }

  /** Frees the model. */
  close(): void {
    this.opened.signatures.close()
  }

  /** Returns the number of the output that is told, among those that have a name. */
  private async told(features: Float32Array): Promise<number> {
    const logits = await this.opened.signatures.logits(features, this.values)
    const named = logits.subarray(0, this.names.length)
    return named.indexOf(Math.max(...named))
  }

  private take({ classNames, step, values, samples, seen }: PersonalState): void {
    const { features, numClasses } = this.manifest
    const { samplesPerClass, seed } = this.options
    this.reservoir = new Reservoir(features, numClasses, samplesPerClass, seed)
    this.reservoir.restore(samples, seen)
    ;[this.names, this.steps, this.values, this.undoing] = [classNames, step, values, []]
  }

  private refuseWithoutOutput(name: string): void {
    if (this.names.includes(name) || this.freeOutputs) return
    throw new PersonalError(
      `there is no output free for a class '${name}': all ${this.names.length} have a name ` +
        `(${this.names.join(', ')})`,
    )
  }

  private refuseWhileTraining(what: string): void {
    if (this.isTraining) throw new PersonalError(`it cannot ${what} while it is trained; stop that`)
  }
}
