import { reasonOf, RuntimeError } from './errors'
import { Table } from './flatbuffer'

/** An input or output of a signature, and which of its subgraph's inputs or outputs it is. */
export interface NamedTensor {
  readonly name: string
  /** As `float32`, or what else TFLite has. */
  readonly type: string
  readonly place: number
}

/** A signature of a file. */
export interface FileSignature {
  readonly key: string
  readonly inputs: readonly NamedTensor[]
  readonly outputs: readonly NamedTensor[]
}

/**
 * What a TFLite file says of its signatures, and the file itself with a batch of 1.
 *
 * The fields are those of TensorFlow's schema.fbs:
 * https://github.com/tensorflow/tensorflow/tree/master/tensorflow/compiler/mlir/lite/schema
 */
export interface ModelFile {
  /** One without a key where the file has none: its first subgraph. */
  readonly signatures: readonly FileSignature[]
  readonly bytes: Uint8Array<ArrayBuffer>
}

const MODEL = { subgraphs: 2, signatures: 7 }
const SUBGRAPH = { tensors: 0, inputs: 1, outputs: 2 }
const TENSOR = { shape: 0, type: 1, name: 3, shapeSignature: 7 }
const SIGNATURE = { inputs: 0, outputs: 1, key: 2, subgraph: 4 }
const NAMED_TENSOR = { name: 0, tensor: 1 }

// Names of TensorType by their numbers; enough to name what LiteRT.js cannot take.
const TYPES = (
  'float32 float16 int32 uint8 int64 string bool int16 complex64 int8 float64 complex128 uint64 ' +
  'resource variant uint32 uint16 int4 bfloat16'
).split(' ')

/**
 * Reads a TFLite file, and takes from it what LiteRT.js has no means for: a batch of any size.
 *
 * Its tensors have a shape for a batch of 1 and, where the batch may be larger, another with -1,
 * which LiteRT.js compares with what it is given. Each -1 becomes what the shape has there.
 *
 * @param content is left as it is
 * @param name of the file, for errors
 * @throws RuntimeError (`damaged`) where this is no TFLite file
 */
export function readModelFile(content: Uint8Array, name: string): ModelFile {
  const bytes = new Uint8Array(content)
  try {
    const model = Table.root(bytes, 'TFL3')
    const subgraphs = model.tables(MODEL.subgraphs)
    for (const subgraph of subgraphs) subgraph.tables(SUBGRAPH.tensors).forEach(fixBatch)
    const signatures = model.tables(MODEL.signatures).map((each) => signatureOf(each, subgraphs))
    return { signatures: signatures.length ? signatures : [wholeOf(subgraphs)], bytes }
  } catch (error) {
    throw new RuntimeError(
      'damaged',
      `${name} is no TFLite file of use (${reasonOf(error)}); fetch it anew`,
      { cause: error },
    )
  }
}

function fixBatch(tensor: Table): void {
  const shape = tensor.numbers(TENSOR.shape)
  const open = tensor.numbers(TENSOR.shapeSignature)
  if (!open.length) return
  if (open.length !== shape.length) throw new Error('a tensor has shapes of two ranks')
  shape.forEach((length, axis) => tensor.setNumber(TENSOR.shapeSignature, axis, length))
}

function signatureOf(signature: Table, subgraphs: Table[]): FileSignature {
  const subgraph = at(subgraphs, signature.integer(SIGNATURE.subgraph))
  const tensors = subgraph.tables(SUBGRAPH.tensors)
  const side = (named: number, places: number): NamedTensor[] => {
    const numbers = subgraph.numbers(places)
    return signature.tables(named).map((each) => {
      const number = each.integer(NAMED_TENSOR.tensor)
      const place = numbers.indexOf(number)
      if (place < 0) throw new Error('a signature has a tensor that its subgraph has not')
      return { name: each.text(NAMED_TENSOR.name), type: typeOf(at(tensors, number)), place }
    })
  }
  return {
    key: signature.text(SIGNATURE.key),
    inputs: side(SIGNATURE.inputs, SUBGRAPH.inputs),
    outputs: side(SIGNATURE.outputs, SUBGRAPH.outputs),
  }
}

function wholeOf(subgraphs: Table[]): FileSignature {
  const subgraph = at(subgraphs, 0)
  const tensors = subgraph.tables(SUBGRAPH.tensors)
  const side = (places: number): NamedTensor[] =>
    subgraph.numbers(places).map((number, place) => {
      const tensor = at(tensors, number)
      return { name: tensor.text(TENSOR.name), type: typeOf(tensor), place }
    })
  return { key: '', inputs: side(SUBGRAPH.inputs), outputs: side(SUBGRAPH.outputs) }
}

function typeOf(tensor: Table): string {
  const type = tensor.byte(TENSOR.type)
  return TYPES[type] ?? `type ${type}`
}

function at(tables: Table[], number: number): Table {
  const found = tables[number]
  if (!found) throw new Error(`it has ${tables.length} tables where it names number ${number}`)
  return found
}
