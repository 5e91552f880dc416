import { reasonOf, RuntimeError } from './errors'
import { Table } from './flatbuffer'

/**
 * What a TFLite file says of its tensors, and the file itself with a batch of 1.
 *
 * The fields are those of TensorFlow's schema.fbs:
 * https://github.com/tensorflow/tensorflow/blob/master/tensorflow/compiler/mlir/lite/schema/schema.fbs
 */
export interface ModelFile {
  /** The types of the tensors that its signatures take and give, by the tensors' names. */
  readonly types: ReadonlyMap<string, string>
  readonly bytes: Uint8Array<ArrayBuffer>
}

const MODEL = { version: 0, subgraphs: 2, signatures: 7 }
const SUBGRAPH = { tensors: 0, inputs: 1, outputs: 2 }
const TENSOR = { shape: 0, type: 1, name: 3, shapeSignature: 7 }
const SIGNATURE = { inputs: 0, outputs: 1, subgraph: 4 }
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
    if (!subgraphs.length) throw new Error('it has no subgraph')
    const tensors = subgraphs.map((subgraph) => subgraph.tables(SUBGRAPH.tensors))
    tensors.flat().forEach(fixBatch)
    return { types: typesOf(model, subgraphs, tensors), bytes }
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

function typesOf(model: Table, subgraphs: Table[], tensors: Table[][]): Map<string, string> {
  const types = new Map<string, string>()
  const note = (subgraph: number, place: number, name?: string): void => {
    const tensor = tensors[subgraph]?.[place]
    if (!tensor) throw new Error(`it has no tensor ${place} in its subgraph ${subgraph}`)
    const type = tensor.byte(TENSOR.type)
    types.set(name ?? tensor.text(TENSOR.name), TYPES[type] ?? `of type ${type}`)
  }
  const signatures = model.tables(MODEL.signatures)
  for (const signature of signatures) {
    for (const field of [SIGNATURE.inputs, SIGNATURE.outputs]) {
      for (const named of signature.tables(field)) {
        const place = named.integer(NAMED_TENSOR.tensor)
        note(signature.integer(SIGNATURE.subgraph), place, named.text(NAMED_TENSOR.name))
      }
    }
  }
  if (!signatures.length) {
    for (const field of [SUBGRAPH.inputs, SUBGRAPH.outputs]) {
      subgraphs[0]?.numbers(field).forEach((place) => note(0, place))
    }
  }
  return types
}
