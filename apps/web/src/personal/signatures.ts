import type { Model } from '../runtime/model'
import { dtypeOf, formOf, type TensorInfo } from '../runtime/tensors'
import { PersonalError } from './errors'
import type { Manifest } from './manifest'
import type { Values } from './state'

const PARAMS = 'params_'
const LOSS = 'loss'

/** A personal model's signatures as functions, which refuse what would go wrong in silence. */
export class Signatures {
  private constructor(
    private readonly model: Model,
    private readonly manifest: Manifest,
    /** What is trained: `params_*` and `state_*`, as the signature `initial` gives them. */
    readonly tensors: readonly TensorInfo[],
    readonly initial: Values,
  ) {}

  /**
   * Runs the signature `initial`.
   *
   * @throws PersonalError the signatures are not those that the manifest describes
   */
  static async of(model: Model, manifest: Manifest): Promise<Signatures> {
    const needed = ['bottleneck', 'infer', 'train_step', 'initial']
    const missing = needed.find((key) => model.signatures.every((each) => each.key !== key))
    if (missing) throw new PersonalError(`${manifest.file} has no signature ${missing}`)
    const tensors = model.signature('initial').outputs
    checkForm(model, manifest, tensors)
    const initial = (await model.run('initial', {})) as Values
    return new Signatures(model, manifest, tensors, initial)
  }

  /** Returns the features of an image float32[pixels] in [0, 1]. */
  async features(image: Float32Array): Promise<Float32Array> {
    const found = await this.model.run('bottleneck', { image_floats: image })
    return finite(found['features'] as Float32Array, 'the model gives features')
  }

  /** Returns the logits float32[classes] of features. */
  async logits(features: Float32Array, values: Values): Promise<Float32Array> {
    const params = Object.entries(values).filter(([name]) => name.startsWith(PARAMS))
    const found = await this.model.run('infer', { features, ...Object.fromEntries(params) })
    return finite(found['logits'] as Float32Array, 'the model gives logits')
  }

  /**
   * Returns the values after a step, and the loss before it.
   *
   * @param features float32[B, size], row-major
   * @param labels float32[B, classes], one-hot times the weight of the row
   * @param values are not changed
   * @throws PersonalError a row of `labels` does not say one class, or there is anything in the
   *   features or in what comes of them that is not finite
   */
  async trainStep(
    features: Float32Array,
    labels: Float32Array,
    values: Values,
  ): Promise<{ values: Values; loss: number }> {
    const { numClasses } = this.manifest
    // Integers would be taken for the bits of floats, which are then as good as 0.
    if (!(labels instanceof Float32Array)) {
      throw new PersonalError(`labels are ${dtypeOf(labels)}, expected float32 rows, one-hot`)
    }
    finite(features, 'there are features to train on')
    finite(labels, 'there are labels to train on')
    for (let start = 0; start < labels.length; start += numClasses) {
      const set = labels.subarray(start, start + numClasses).filter((each) => each !== 0)
      if (set.length !== 1 || !((set[0] as number) > 0)) {
        throw new PersonalError('labels have a row that does not name one class with a weight')
      }
    }
    const { [LOSS]: loss, ...found } = await this.model.run('train_step', {
      features,
      labels,
      ...values,
    })
    finite(loss as Float32Array, 'a training step gives a loss')
    for (const [name, each] of Object.entries(found)) finite(each, `a training step gives ${name}`)
    return { values: found as Values, loss: (loss as Float32Array)[0] as number }
  }

  close(): void {
    this.model.close()
  }
}

type Forms = Record<string, string>

/** Throws PersonalError unless the tensors are those that the manifest describes. */
function checkForm(model: Model, manifest: Manifest, trained: readonly TensorInfo[]): void {
  const { numClasses, batchSize, features: size, imageShape } = manifest
  const floats = (...shape: number[]): string => formOf('float32', shape)
  const values = formsOf(trained)
  const params = formsOf(trained.filter((each) => each.name.startsWith(PARAMS)))
  const one = { features: floats(1, size) }
  const rows = { features: floats(batchSize, size), labels: floats(batchSize, numClasses) }
  const pixels = imageShape[0] * imageShape[1] * imageShape[2]
  const expected: Record<string, [Forms, Forms]> = {
    bottleneck: [{ image_floats: floats(1, pixels) }, one],
    infer: [{ ...one, ...params }, { logits: floats(1, numClasses) }],
    train_step: [
      { ...rows, ...values },
      { ...values, [LOSS]: floats() },
    ],
  }
  for (const [key, [inputs, outputs]] of Object.entries(expected)) {
    const found = model.signature(key)
    for (const [tensors, forms] of [
      [formsOf(found.inputs), inputs],
      [formsOf(found.outputs), outputs],
    ] as [Forms, Forms][]) {
      const names = [...new Set([...Object.keys(tensors), ...Object.keys(forms)])].sort()
      const odd = names.find((name) => tensors[name] !== forms[name])
      if (odd === undefined) continue
      throw new PersonalError(
        `${manifest.file}, signature ${key}: the tensor ${odd} is ${tensors[odd] ?? 'not there'}` +
          `, its package's manifest wants ${forms[odd] ?? 'none'}; take the package anew`,
      )
    }
  }
}

function formsOf(tensors: readonly TensorInfo[]): Forms {
  return Object.fromEntries(tensors.map((each) => [each.name, formOf(each.dtype, each.shape)]))
}

function finite<T extends Float32Array | Int32Array | Uint8Array>(array: T, what: string): T {
  for (const each of array) {
    if (!Number.isFinite(each)) throw new PersonalError(`${what} that are not finite`)
  }
  return array
}
