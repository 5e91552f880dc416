import { Tensor, type CompiledModel, type TypedArray as LiteRtArray } from '@litertjs/core'
import { RuntimeError } from './errors'
import {
  dtypeOf,
  formOf,
  sizeOf,
  type Arrays,
  type Signature,
  type TensorInfo,
  type TypedArray,
} from './tensors'

type Guard = <T>(work: () => Promise<T>) => Promise<T>

/** An open TFLite file. Its memory is outside of JavaScript's until it is closed. */
export class Model {
  readonly signatures: readonly Signature[]
  private isClosed = false

  /** Is called by `Runtime.open`. */
  constructor(
    private readonly compiled: CompiledModel,
    private readonly name: string,
    private readonly guard: Guard,
  ) {
    this.signatures = Object.entries(compiled.signatures).map(([key, runner]) => ({
      key,
      inputs: runner.getInputDetails().map(infoOf),
      outputs: runner.getOutputDetails().map(infoOf),
    }))
  }

  /**
   * Returns a signature.
   *
   * @param key null for the first
   * @throws RuntimeError (`misused`) there is no such signature
   */
  signature(key: string | null): Signature {
    const found = key === null ? this.signatures[0] : this.signatures.find((s) => s.key === key)
    if (!found) {
      const keys = this.signatures.map((each) => each.key).join(', ')
      throw new RuntimeError(
        'misused',
        `${this.name} has no signature ${key ?? 'at all'}, it has ${keys || 'none'}`,
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
    const signature = this.signature(key)
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
    this.compiled.delete()
  }

  private async invoked(
    signature: Signature,
    arrays: TypedArray[],
  ): Promise<Record<string, TypedArray>> {
    const runner = this.compiled.signatures[signature.key]
    const tensors: Tensor[] = []
    try {
      signature.inputs.forEach((info, index) => {
        tensors.push(new Tensor(arrays[index] as LiteRtArray, [...info.shape]))
      })
      const found = (await runner?.run([...tensors])) ?? []
      tensors.push(...found)
      return Object.fromEntries(
        found.map((tensor, index) => [signature.outputs[index]?.name, tensor.toTypedArray()]),
      )
    } finally {
      for (const tensor of tensors) tensor.delete()
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

function infoOf(details: {
  name: string
  dtype: TensorInfo['dtype']
  shape: Int32Array
}): TensorInfo {
  return { name: details.name, dtype: details.dtype, shape: [...details.shape] }
}
