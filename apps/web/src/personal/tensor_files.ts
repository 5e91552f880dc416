import { Json } from '../runtime/json'
import { sizeOf } from '../runtime/tensors'
import { PersonalError } from './errors'

/** Types of arrays that these files have here, with the bytes of a number. */
const WIDTHS = { F16: 2, F32: 4, I32: 4 } as const

export type FileType = keyof typeof WIDTHS

/** An array of a file; float16 is read as float32. */
export interface FileTensor {
  readonly type: FileType
  readonly shape: readonly number[]
  readonly values: Float32Array | Int32Array
}

/** What a safetensors file has. */
export interface TensorFile {
  readonly tensors: ReadonlyMap<string, FileTensor>
  readonly texts: ReadonlyMap<string, string>
}

const METADATA = '__metadata__'
const MAX_HEADER = 100_000_000 // bytes, as in the reference implementation

/**
 * Reads a safetensors file; https://github.com/huggingface/safetensors has the form.
 *
 * @param name of the file, for errors
 * @throws PersonalError it is no whole file of that form
 */
export function readTensors(content: Uint8Array, name: string): TensorFile {
  const refuse = (reason: string): PersonalError =>
    new PersonalError(`${name} is no whole safetensors file (${reason})`)
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength)
  if (content.byteLength < 8) throw refuse(`it has ${content.byteLength} bytes`)
  const length = Number(view.getBigUint64(0, true))
  if (length > Math.min(content.byteLength - 8, MAX_HEADER)) {
    throw refuse(`its header would have ${length} bytes`)
  }
  if (view.getUint8(8) !== '{'.charCodeAt(0)) throw refuse('its header is none')
  const header = Json.parsed(content.subarray(8, 8 + length), refuse)
  const data = new DataView(content.buffer, content.byteOffset + 8 + length)
  const bytes = content.byteLength - 8 - length
  const names = header.keys().filter((key) => key !== METADATA)
  const places = names.map((key) => ({ key, ...placeOf(header.at(key)) }))
  places.sort((one, other) => one.begin - other.begin || one.end - other.end)
  let filled = 0
  for (const { key, begin, end } of places) {
    if (begin !== filled) throw refuse(`the array ${key} does not begin where the last one ends`)
    filled = end
  }
  if (filled !== bytes) throw refuse(`its arrays have ${filled} bytes, it has ${bytes} for them`)
  const tensors = places.map(({ key, type, shape, begin }): [string, FileTensor] => [
    key,
    { type, shape, values: valuesOf(data, begin, type, sizeOf(shape)) },
  ])
  const texts = header
    .at(METADATA)
    .orNull((each) => each.keys().map((key): [string, string] => [key, each.at(key).text()]))
  return { tensors: new Map(tensors), texts: new Map(texts ?? []) }
}

/**
 * Writes such a file. Arrays stand in the order of their names.
 *
 * @param tensors of type F32 or I32
 */
export function writeTensors(
  tensors: ReadonlyMap<string, FileTensor>,
  texts: ReadonlyMap<string, string>,
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { [METADATA]: Object.fromEntries(texts) }
  const sorted = [...tensors].sort(([one], [other]) => (one < other ? -1 : 1))
  let end = 0
  for (const [name, { type, shape, values }] of sorted) {
    const begin = end
    end += values.length * WIDTHS[type]
    header[name] = { dtype: type, shape, data_offsets: [begin, end] }
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  const length = Math.ceil(json.length / 8) * 8
  const content = new Uint8Array(8 + length + end)
  const view = new DataView(content.buffer)
  view.setBigUint64(0, BigInt(length), true)
  content.fill(' '.charCodeAt(0), 8, 8 + length)
  content.set(json, 8)
  let place = 8 + length
  for (const [, { values }] of sorted) {
    for (const value of values) {
      if (values instanceof Float32Array) view.setFloat32(place, value, true)
      else view.setInt32(place, value, true)
      place += 4
    }
  }
  return content
}

interface Place {
  readonly type: FileType
  readonly shape: number[]
  readonly begin: number
  readonly end: number
}

function placeOf(json: Json): Place {
  const type = json.at('dtype').oneOf('F16', 'F32', 'I32')
  const shape = json
    .at('shape')
    .items()
    .map((each) => each.whole(0))
  const [begin, end, ...others] = json
    .at('data_offsets')
    .items()
    .map((each) => each.whole(0))
  if (begin === undefined || end === undefined || others.length) {
    return json.at('data_offsets').wrong('begin and end')
  }
  const bytes = sizeOf(shape) * WIDTHS[type]
  if (end - begin !== bytes) json.at('data_offsets').wrong(`${bytes} bytes, as the shape has`)
  return { type, shape, begin, end }
}

function valuesOf(
  data: DataView,
  begin: number,
  type: FileType,
  length: number,
): Float32Array | Int32Array {
  const values = type === 'I32' ? new Int32Array(length) : new Float32Array(length)
  for (let index = 0; index < length; index++) {
    const place = begin + index * WIDTHS[type]
    if (type === 'I32') values[index] = data.getInt32(place, true)
    else if (type === 'F32') values[index] = data.getFloat32(place, true)
    else values[index] = fromFloat16(data.getUint16(place, true))
  }
  return values
}

/** Returns the number that 16 bits are by IEEE 754. */
function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity
  return exponent
    ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024)
    : sign * 2 ** -14 * (fraction / 1024)
}
