import type { Drawing } from '../drawing/drawing'
import { readDrawing, readImageShape, readFileName, readSha256 } from './fields'
import { RuntimeError } from './errors'
import { Json } from './json'

/** An input or output of one file; null in its shape is any number of images. */
export interface PackedTensor {
  readonly dtype: string
  readonly shape: readonly (number | null)[]
  /** Real values are (integer - zeroPoint) * scale. */
  readonly quantization: { readonly scale: number; readonly zeroPoint: number } | null
}

/** A file of a package, and what was measured of it. */
export interface PackedModel {
  readonly name: string
  readonly file: string
  readonly summary: string
  readonly sha256: string
  readonly bytes: number | null
  readonly input: PackedTensor
  readonly output: PackedTensor
  /** Metrics by name, as `accuracy`; empty where there are none. */
  readonly metrics: Readonly<Record<string, number>>
  readonly agreement: number | null
}

/** `model.json` of a pushed version of the device models. */
export interface DevicePackage {
  readonly task: string
  readonly model: string
  /** The name of the tensor that an image goes into. */
  readonly inputName: string
  /** Height, width and channels. */
  readonly imageShape: readonly [number, number, number]
  /** How a drawing becomes an image; null where images are only resized. */
  readonly drawing: Drawing | null
  readonly outputName: string
  readonly labels: readonly string[]
  readonly models: readonly PackedModel[]
}

/**
 * Reads `model.json`. Keys that it does not know are left alone.
 *
 * @throws RuntimeError (`damaged`) where it is no such file
 */
export function readDevicePackage(content: Uint8Array | string): DevicePackage {
  const json = Json.parsed(
    content,
    (reason) =>
      new RuntimeError(
        'damaged',
        `model.json cannot be used: ${reason}; push the device models anew`,
      ),
  )
  const labels = json
    .at('labels')
    .items()
    .map((each) => each.title())
  if (!labels.length || new Set(labels).size < labels.length) {
    json.at('labels').wrong('different names')
  }
  const models = json.at('models').items().map(readModel)
  if (!models.length) json.at('models').wrong('at least one model')
  return {
    task: json.at('task').text(),
    model: json.at('model').text(),
    inputName: json.at('input').at('name').title(),
    imageShape: readImageShape(json.at('input').at('image_shape')),
    drawing: json.at('input').at('drawing').orNull(readDrawing),
    outputName: json.at('output').at('name').title(),
    labels,
    models,
  }
}

function readModel(json: Json): PackedModel {
  return {
    name: json.at('name').title(),
    file: readFileName(json.at('file')),
    summary: json.at('summary').text(),
    sha256: readSha256(json.at('sha256')),
    bytes: json.at('bytes').orNull((each) => each.whole(0)),
    input: readTensor(json.at('input')),
    output: readTensor(json.at('output')),
    metrics: json.at('metrics').orNull(readMetrics) ?? {},
    agreement: json.at('agreement').orNull((each) => each.number()),
  }
}

function readMetrics(json: Json): Record<string, number> {
  const numbers = json.keys().filter((key) => typeof json.at(key).raw === 'number')
  return Object.fromEntries(numbers.map((key) => [key, json.at(key).number()]))
}

function readTensor(json: Json): PackedTensor {
  return {
    dtype: json.at('dtype').title(),
    shape: json
      .at('shape')
      .items()
      .map((each) => each.orNull((length) => length.whole(0))),
    quantization: json.at('quantization').orNull((each) => ({
      scale: each.at('scale').number(),
      zeroPoint: each.at('zero_point').number(),
    })),
  }
}
