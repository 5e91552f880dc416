/** The arrays that LiteRT.js takes and gives; it has no int8 and no int64. */
export type TypedArray = Float32Array | Int32Array | Uint8Array

export const DTYPES = ['float32', 'int32', 'uint8'] as const

export type DType = (typeof DTYPES)[number]

export function isDType(type: string): type is DType {
  return DTYPES.some((each) => each === type)
}

export type Arrays = Readonly<Record<string, TypedArray>>

/** An input or output of a signature. A batch of any size is one of 1 here. */
export interface TensorInfo {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
}

/** What a signature takes and gives. */
export interface Signature {
  readonly key: string
  readonly inputs: readonly TensorInfo[]
  readonly outputs: readonly TensorInfo[]
}

/** Returns the type of an array's numbers, or what else it is. */
export function dtypeOf(array: unknown): string {
  if (array instanceof Float32Array) return 'float32'
  if (array instanceof Int32Array) return 'int32'
  if (array instanceof Uint8Array) return 'uint8'
  if (!ArrayBuffer.isView(array)) return typeof array
  return array.constructor.name.replace('Array', '').toLowerCase()
}

/** Returns how many numbers there are in a shape; 1 where it is that of a single number. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1)
}

/** Returns a type and a shape as a text, as in `float32[1, 784]`. */
export function formOf(dtype: string, shape: readonly number[]): string {
  return `${dtype}[${shape.join(', ')}]`
}
