import {
  Tensor,
  type CompiledModel,
  type SignatureRunner,
  type TypedArray as LiteRtArray,
} from '@litertjs/core'
import { RuntimeError } from './errors'
import type { FileSignature, NamedTensor } from './model_file'
import {
  dtypeOf,
  formOf,
  sizeOf,
  type Arrays,
  type Signature,
  type TensorInfo,
  type TypedArray,
} from './tensors'

/** Makes RuntimeErrors of what LiteRT.js throws. */
export type Guard = <T>(work: () => Promise<T>) => Promise<T>

/** What LiteRT.js knows of a tensor. Its names are not used: see `Model`. */
type Details = ReturnType<SignatureRunner['getInputDetails']>[number]

/** A signature with LiteRT.js's runner, and where its tensors are among the runner's. */
interface Runnable extends Signature {
  readonly runner: SignatureRunner
  readonly inputPlaces: readonly number[]
  readonly outputPlaces: readonly number[]
}

/**
 * An open TFLite file. Its memory is outside of JavaScript's until it is closed.
 *
 * Names are those of the file: where a signature gives one tensor by several names, as the zeros
 * that an optimizer starts with, LiteRT.js knows one of them alone.
 */
export class Model {
  readonly signatures: readonly Signature[]
  private readonly runnables: readonly Runnable[]
  private isClosed = false

  /** Is called by `Runtime.open`. */
  constructor(
    private readonly compiled: CompiledModel,
    signatures: readonly FileSignature[],
    private readonly name: string,
    private readonly guard: Guard,
  ) {
    this.runnables = signatures.map((signature) => runnableOf(compiled, signature))
    this.signatures = this.runnables.map(({ key, inputs, outputs }) => ({ key, inputs, outputs }))
  }

  /**
   * Returns a signature.
   *
   * @param key null for the first
   * @throws RuntimeError (`misused`) there is no such signature
   */
  signature(key: string | null): Signature {
    return this.runnable(key)
  }

  private runnable(key: string | null): Runnable {
    const found = key === null ? this.runnables[0] : this.runnables.find((each) => each.key === key)
    if (!found) {
      const keys = this.signatures.map((each) => each.key).join(', ')
      throw new RuntimeError(
        'misused',
        `${this.name} has no signature ${key}, it has ${keys || 'none'}`,
      )
    }
    return found
  }

  /**
   * Runs a signature. One run is over before the next one begins.
   *
   * @param key null for the first
   * @param inputs by the tensors' names, row-major, each of the type and as long as its tensor
   * @returns the outputs by their names; they are the caller's own
   * @throws RuntimeError (`misused`) the inputs are not those of the signature
   */
  async run(key: string | null, inputs: Arrays): Promise<Record<string, TypedArray>> {
    const signature = this.runnable(key)
    if (this.isClosed) throw new RuntimeError('misused', `${this.name} is closed`)
    const arrays = signature.inputs.map((info) => this.checked(info, inputs, signature))
    const odd = Object.keys(inputs).find((name) => signature.inputs.every((i) => i.name !== name))
    if (odd !== undefined) {
      throw new RuntimeError(
        'misused',
        `${this.name} takes no ${odd} in its signature ${signature.key}, it takes ` +
          signature.inputs.map((each) => each.name).join(', '),
      )
    }
    return this.guard(() => this.invoked(signature, arrays))
  }

  /** Frees the model. */
  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    try {
      this.compiled.delete()
    } catch {
      // After a crash of the runtime there is nothing that could be freed.
    }
  }

  private async invoked(
    { runner, inputs, inputPlaces, outputs, outputPlaces }: Runnable,
    arrays: TypedArray[],
  ): Promise<Record<string, TypedArray>> {
    const given: Tensor[] = []
    let found: Tensor[] = []
    try {
      inputs.forEach((info, index) => {
        given[inputPlaces[index]!] = new Tensor(arrays[index] as LiteRtArray, [...info.shape])
      })
      found = await runner.run([...given])
      return Object.fromEntries(
        outputs.map(({ name }, index) => [name, found[outputPlaces[index]!]!.toTypedArray()]),
      )
    } finally {
      for (const tensor of [...Object.values(given), ...found]) tensor.delete()
    }
  }

  /** Returns an input; LiteRT.js would take integers for floats, and train on zeros in silence. */
  private checked(info: TensorInfo, inputs: Arrays, signature: Signature): TypedArray {
    const array = Object.hasOwn(inputs, info.name) ? inputs[info.name] : undefined
    const found = array && formOf(dtypeOf(array), [array.length])
    if (!array || found !== formOf(info.dtype, [sizeOf(info.shape)])) {
      throw new RuntimeError(
        'misused',
        `${this.name} wants ${info.name} as ${formOf(info.dtype, info.shape)} in its signature ` +
          `${signature.key}, it got ${found ?? 'none'}`,
      )
    }
    return array
  }
}

function runnableOf(compiled: CompiledModel, { key, inputs, outputs }: FileSignature): Runnable {
  const runner = key ? compiled.signatures[key] : Object.values(compiled.signatures)[0]
  if (!runner) throw new Error(`LiteRT.js finds no signature ${key} in it`)
  const infosOf = (named: readonly NamedTensor[], details: readonly Details[]): TensorInfo[] =>
    named.map(({ name, place }) => {
      const { dtype, shape } = details[place] ?? {}
      if (!dtype || !shape) throw new Error(`LiteRT.js finds no tensor ${name} in it`)
      return { name, dtype, shape: [...shape] }
    })
  return {
    key,
    runner,
    inputs: infosOf(inputs, runner.getInputDetails()),
    outputs: infosOf(outputs, runner.getOutputDetails()),
    inputPlaces: inputs.map((each) => each.place),
    outputPlaces: outputs.map((each) => each.place),
  }
}
