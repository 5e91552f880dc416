import type { Drawing } from '../drawing/drawing'
import { readDrawing, readFileName, readImageShape, readSha256 } from '../runtime/fields'
import { Json } from '../runtime/json'
import { PersonalError } from './errors'

export const SCHEMA_VERSION = 1

/** `replay.safetensors` of a package: of how many training images it has features. */
export interface ReplayFile {
  readonly file: string
  readonly sha256: string
  readonly images: number
}

/** `personal.json`, what a package says of itself; `docs/personalization.md` has the keys. */
export interface Manifest {
  readonly model: string
  /** The data set's name, and that for people. */
  readonly task: string
  readonly title: string
  /** Height, width and channels. */
  readonly imageShape: readonly [number, number, number]
  /** How a drawing becomes an image; null where images are only resized. */
  readonly drawing: Drawing | null
  /** Names of the outputs 0, 1, ...; those behind them, up to `numClasses`, are free. */
  readonly labelNames: readonly string[]
  readonly numClasses: number
  readonly batchSize: number
  /** Numbers that the base makes of an image. */
  readonly features: number
  readonly head: string
  readonly optimizer: string
  readonly learningRate: number
  readonly file: string
  readonly bytes: number
  readonly sha256: string
  readonly replay: ReplayFile | null
}

/**
 * Reads `personal.json`. Keys that it does not know are left alone.
 *
 * @throws PersonalError it is no JSON, or of another schema or form
 */
export function readManifest(content: Uint8Array | string): Manifest {
  const json = Json.parsed(
    content,
    (reason) => new PersonalError(`personal.json cannot be used: ${reason}; take the package anew`),
  )
  const version = json.at('schema_version')
  if (version.raw !== SCHEMA_VERSION) version.wrong(`schema version ${SCHEMA_VERSION}`)
  const labelNames = readNames(json.at('label_names'))
  const ofTask = json.at('task').at('label_names')
  if (JSON.stringify(ofTask.raw) !== JSON.stringify(labelNames)) {
    ofTask.wrong('the same as label_names')
  }
  const title = json
    .at('task')
    .at('title')
    .orNull((each) => each.text())
  const task = json.at('task').at('name').title()
  return {
    model: json.at('model').text(),
    task,
    title: title || task,
    imageShape: readImageShape(json.at('task').at('image_shape')),
    drawing: json.at('task').at('drawing').orNull(readDrawing),
    labelNames,
    numClasses: json.at('num_classes').whole(labelNames.length),
    batchSize: json.at('batch_size').whole(1),
    features: json.at('features').whole(1),
    head: json.at('head').text(),
    optimizer: json.at('optimizer').text(),
    learningRate: json.at('learning_rate').number(),
    file: readFileName(json.at('file')),
    bytes: json.at('bytes').whole(0),
    sha256: readSha256(json.at('sha256')),
    replay: json.at('replay').orNull((each) => ({
      file: readFileName(each.at('file')),
      sha256: readSha256(each.at('sha256')),
      images: each.at('images').whole(1),
    })),
  }
}

function readNames(json: Json): string[] {
  const names = json.items().map((each) => each.title())
  if (!names.length || new Set(names).size < names.length) json.wrong('different names')
  return names
}
