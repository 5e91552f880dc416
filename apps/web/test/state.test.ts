import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readState, writeState, type Expected } from '../src/personal/state'
import { readTensors } from '../src/personal/tensor_files'
import { sizeOf, type DType, type TensorInfo } from '../src/runtime/tensors'
import { fileOf, jsonOf, needsData } from './data'

interface Fresh {
  readonly model: string
  readonly modelSha256: string
  readonly classNames: string[]
  readonly shapes: Record<string, [DType, number[]]>
  readonly features: number
  readonly outputs: number
}

/** What a state has to go with, as Python's tests have it. */
function expected(): Expected {
  const { shapes, features, outputs, ...named } = jsonOf<Fresh>('states', 'fresh.json')
  const tensors = Object.entries(shapes).map(([name, [dtype, shape]]): TensorInfo => ({
    name,
    dtype,
    shape,
  }))
  const values = Object.fromEntries(
    tensors.map(({ name, dtype, shape }) => [
      name,
      dtype === 'int32' ? new Int32Array(sizeOf(shape)) : new Float32Array(sizeOf(shape)),
    ]),
  )
  const samples = { features: new Float32Array(0), labels: new Int32Array(0) }
  const seen = Array.from({ length: outputs }, () => 0)
  return { fresh: { ...named, step: 0, values, samples, seen }, tensors, features }
}

test('a state of Python is read as it is, and written again', needsData, () => {
  const content = fileOf('states', 'good.safetensors')
  const found = readState(content, expected(), 'the file')
  assert.deepEqual(found.classNames, ['one', 'two', 'trois ☃'])
  assert.equal(found.step, 12)
  assert.deepEqual(found.seen, [5, 0, 1, 0])
  assert.deepEqual(found.samples.labels, Int32Array.of(0, 2))
  assert.deepEqual(found.samples.features, Float32Array.of(0, 1, 2, 3, 4, 5))
  assert.deepEqual(found.values['state_count'], Int32Array.of(12))
  const kernel = [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]
  assert.deepEqual(found.values['params_kernel'], Float32Array.from(kernel))
  const again = writeState(found, expected())
  assert.deepEqual(readState(again, expected(), 'the file'), found)
  assert.equal(new DataView(again.buffer).getUint32(0, true) % 8, 0)
  const [one, other] = [readTensors(again, ''), readTensors(content, '')]
  assert.deepEqual(
    new Map([...one.texts].sort()),
    new Map([...other.texts].sort()).set('class_names', '["one","two","trois ☃"]'),
  )
  assert.deepEqual(new Map([...one.tensors].sort()), new Map([...other.tensors].sort()))
})

test('what does not fit is refused in a sentence, as by Python', needsData, () => {
  const wrong = jsonOf<string[]>('states', 'wrong.json')
  for (const [number, message] of wrong.entries()) {
    const content = fileOf('states', `${number}.safetensors`)
    assert.throws(() => readState(content, expected(), 'mine'), {
      name: 'PersonalError',
      message: new RegExp(`^mine .*${message}`),
    })
  }
  assert.ok(wrong.length > 20)
})

test('samples of outputs without a name, and steps beyond counting, are refused', needsData, () => {
  const good = readState(fileOf('states', 'good.safetensors'), expected(), 'mine')
  const refused = (change: Partial<typeof good>, message: RegExp): void =>
    assert.throws(
      () => readState(writeState({ ...good, ...change }, expected()), expected(), 'mine'),
      { name: 'PersonalError', message },
    )
  refused(
    { seen: [5, 0, 1, 1] },
    /^mine says in reservoir_seen that samples were added to outputs w/,
  )
  refused({ step: 2 ** 53 }, /^mine has '9007199254740992' as its step, expected a number$/)
})

test('a file that is cut anywhere, or is no such file, is refused', needsData, () => {
  const content = fileOf('states', 'good.safetensors')
  const refused = (wrong: Uint8Array): void =>
    assert.throws(() => readState(wrong, expected(), 'mine'), {
      name: 'PersonalError',
      message: /^mine is no whole safetensors file \(.+\)$/,
    })
  for (let length = 0; length < content.length; length += 3) refused(content.subarray(0, length))
  refused(new TextEncoder().encode('no state, but a text'))
  refused(Uint8Array.of(...content, 0))
  const changed = (from: string, to: string): Uint8Array =>
    Buffer.from(Buffer.from(content).toString('latin1').replace(from, to), 'latin1')
  refused(changed('"F32"', '"BF8"'))
  refused(changed('{', '['))
  refused(changed('[3,4]', '[4,4]'))
  refused(changed('[3,4]', '[3,-4]'))
  refused(changed('"format"', '\xff\xff\xff\xff\xff\xff\xff\xff'))
  refused(changed('"personal-state"', '1               '))
  refused(changed('"data_offsets"', '"date_offsets"'))
})

test('arrays that overlap or leave a gap are refused', () => {
  const file = (offsets: number[][]): Uint8Array => {
    const header = Object.fromEntries(
      offsets.map((each, place) => [`a${place}`, { dtype: 'F32', shape: [2], data_offsets: each }]),
    )
    const json = new TextEncoder().encode(JSON.stringify(header))
    const length = new Uint8Array(BigUint64Array.of(BigInt(json.length)).buffer)
    return Uint8Array.of(...length, ...json, ...new Uint8Array(16))
  }
  const refused = (offsets: number[][], message: RegExp): void =>
    assert.throws(() => readTensors(file(offsets), 'mine'), { name: 'PersonalError', message })
  assert.equal(
    readTensors(
      file([
        [8, 16],
        [0, 8],
      ]),
      'mine',
    ).tensors.size,
    2,
  )
  refused(
    [
      [0, 8],
      [4, 12],
    ],
    /the array a1 does not begin where the last one ends/,
  )
  refused([[0, 8]], /its arrays have 8 bytes, it has 16 for them/)
  refused(
    [
      [0, 8],
      [16, 24],
    ],
    /the array a1 does not begin where/,
  )
  refused(
    [
      [0, 8],
      [8, 20],
    ],
    /a1.data_offsets is \[8,20\], expected 8 bytes, as the shape has/,
  )
})
