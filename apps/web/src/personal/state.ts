import { Json } from '../runtime/json'
import { formOf, type TensorInfo } from '../runtime/tensors'
import { PersonalError } from './errors'
import type { Samples } from './reservoir'
import { readTensors, writeTensors, type FileTensor } from './tensor_files'

/** Parameters and the optimizer's state by name. */
export type Values = Readonly<Record<string, Float32Array | Int32Array>>

/** What a user's training made of a package. */
export interface PersonalState {
  readonly model: string
  /** Of the package's TFLite file. */
  readonly modelSha256: string
  /** Of the outputs, in their order; outputs behind them have no class yet. */
  readonly classNames: readonly string[]
  readonly step: number
  readonly values: Values
  readonly samples: Samples
  /** How many samples of each output were added. */
  readonly seen: readonly number[]
}

/** What a state has to go with: the one that the package starts with, and its shapes. */
export interface Expected {
  readonly fresh: PersonalState
  readonly tensors: readonly TensorInfo[]
  readonly features: number
}

const FORMAT = 'personal-state'
const SCHEMA_VERSION = '1'
const FEATURES = 'reservoir_features'
const LABELS = 'reservoir_labels'
const SEEN = 'reservoir_seen'
const KEYS = ['format', 'schema_version', 'model', 'model_sha256', 'class_names', 'step']
const TYPES = { F16: 'float16', F32: 'float32', I32: 'int32' } as const

/** Writes a state file, as `docs/personalization.md` has it. */
export function writeState(state: PersonalState, expected: Expected): Uint8Array<ArrayBuffer> {
  const { labels, features } = state.samples
  const tensors = new Map<string, FileTensor>([
    [FEATURES, { type: 'F32', shape: [labels.length, expected.features], values: features }],
    [LABELS, { type: 'I32', shape: [labels.length], values: labels }],
    [SEEN, { type: 'I32', shape: [state.seen.length], values: Int32Array.from(state.seen) }],
  ])
  for (const { name, shape } of expected.tensors) {
    const values = state.values[name] as Float32Array | Int32Array
    tensors.set(name, { type: values instanceof Int32Array ? 'I32' : 'F32', shape, values })
  }
  const texts = [FORMAT, SCHEMA_VERSION, state.model, state.modelSha256]
  texts.push(JSON.stringify(state.classNames), String(state.step))
  return writeTensors(tensors, new Map(KEYS.map((key, place) => [key, texts[place] as string])))
}

/**
 * Reads a state file, and checks that it goes with a package.
 *
 * @param name of the file, for errors
 * @throws PersonalError it is damaged, of another version or of another model, or has anything else
 *   that a state of this package cannot have
 */
export function readState(content: Uint8Array, expected: Expected, name: string): PersonalState {
  const { fresh } = expected
  const refuse = (reason: string): PersonalError => new PersonalError(`${name} ${reason}`)
  const file = readTensors(content, name)
  const tensors = new Map(file.tensors)
  const text = (key: string): string => file.texts.get(key) ?? ''
  if (text('format') !== FORMAT) {
    const found = file.texts.has('format') ? `'${text('format')}'` : 'not there'
    throw refuse(`is no personal state: its format is ${found}`)
  }
  if (text('schema_version') !== SCHEMA_VERSION) {
    throw refuse(
      `is of schema version ${text('schema_version')}, expected ${SCHEMA_VERSION}; use the ` +
        'client that wrote it',
    )
  }
  const missing = KEYS.find((key) => !file.texts.has(key))
  if (missing) throw refuse(`has no ${missing} in its metadata`)
  if (text('model_sha256') !== fresh.modelSha256) {
    throw refuse(
      `is of the model ${text('model')} (${text('model_sha256').slice(0, 12)}), and this is the ` +
        `model ${fresh.model} (${fresh.modelSha256.slice(0, 12)}); a state goes with one file ` +
        'alone',
    )
  }
  const classNames = readNames(text('class_names'), fresh, refuse)
  const step = Number(text('step'))
  if (!/^[0-9]+$/.test(text('step')) || !Number.isSafeInteger(step)) {
    throw refuse(`has '${text('step')}' as its step, expected a number`)
  }
  const take = (array: string, dtype: string, shape: readonly number[]): FileTensor['values'] => {
    const found = tensors.get(array)
    tensors.delete(array)
    if (!found) throw refuse(`has no array ${array}`)
    const form = formOf(TYPES[found.type], found.shape)
    if (form !== formOf(dtype, shape)) {
      throw refuse(`has ${form} as ${array}, expected ${formOf(dtype, shape)}`)
    }
    if (!found.values.every(Number.isFinite)) {
      throw refuse(`has numbers in ${array} that are not finite`)
    }
    return found.values
  }
  const count = tensors.get(LABELS)?.shape[0] ?? 0
  const labels = take(LABELS, 'int32', [count]) as Int32Array
  if (labels.some((label) => label < 0 || label >= classNames.length)) {
    throw refuse(`has labels in ${LABELS} that are none of its ${classNames.length} classes`)
  }
  const features = take(FEATURES, 'float32', [count, expected.features]) as Float32Array
  const seen = Array.from(take(SEEN, 'int32', [fresh.seen.length]))
  const held = seen.map(() => 0)
  for (const label of labels) held[label]! += 1
  if (seen.some((each, label) => each < held[label]!)) {
    throw refuse(`says in ${SEEN} that fewer samples were added than it holds`)
  }
  if (seen.slice(classNames.length).some(Boolean)) {
    throw refuse(`says in ${SEEN} that samples were added to outputs without a name`)
  }
  const values = Object.fromEntries(
    expected.tensors.map((each) => [each.name, take(each.name, each.dtype, each.shape)]),
  )
  const [odd] = tensors.keys()
  if (odd !== undefined) throw refuse(`has an array ${odd}, which this model has not`)
  const { model, modelSha256 } = fresh
  return { model, modelSha256, classNames, step, values, samples: { features, labels }, seen }
}

function readNames(
  text: string,
  fresh: PersonalState,
  refuse: (reason: string) => PersonalError,
): string[] {
  const noList = (): PersonalError => refuse('has class_names that are no list of names in JSON')
  const found = Json.parsed(text, noList)
    .items()
    .map((each) => each.title())
  const known = fresh.classNames
  const free = fresh.seen.length - known.length
  const isOurs = known.every((name, place) => found[place] === name)
  if (!isOurs || new Set(found).size < found.length || found.length > fresh.seen.length) {
    throw refuse(
      `has the classes ${listed(found)}, expected ${listed(known)} and up to ${free} others, ` +
        'each once',
    )
  }
  return found
}

function listed(names: readonly string[]): string {
  return `[${names.map((name) => `'${name}'`).join(', ')}]`
}
