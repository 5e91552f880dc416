import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite, test } from 'node:test'
import { getGlobalLiteRt } from '@litertjs/core'
import { readModelFile } from '../src/runtime/model_file'
import { sizeOf } from '../src/runtime/tensors'
import { fileOf, floatsOf, needsData, runtimeOnce } from './data'
import { modelOf, PIXELS, refused, watched } from './runtime_support'

const LOGITS = 10

suite('LiteRT.js', needsData, () => {
  // Largest difference of a logit; those of quantized models are a step or so.
  for (const [name, limit] of Object.entries({
    float32: 1e-5,
    float16: 1e-3,
    dynamic_range: 0.5,
  })) {
    test(`gives the logits that Python gives: ${name}`, async () => {
      const runtime = await runtimeOnce()
      const model = await runtime.open(modelOf(name), { name })
      assert.deepEqual(model.signatures, [
        {
          key: 'serving_default',
          inputs: [{ name: 'image_floats', dtype: 'float32', shape: [1, PIXELS] }],
          outputs: [{ name: 'logits', dtype: 'float32', shape: [1, LOGITS] }],
        },
      ])
      const [images, expected] = [
        floatsOf('models', 'images.f32'),
        floatsOf('models', `${name}.f32`),
      ]
      for (let row = 0; row < images.length / PIXELS; row++) {
        const image = images.subarray(row * PIXELS, (row + 1) * PIXELS)
        const { logits } = await model.run('serving_default', { image_floats: image })
        for (const [place, logit] of (logits as Float32Array).entries()) {
          assert.ok(Math.abs(logit - expected[row * LOGITS + place]!) < limit)
        }
      }
      model.close()
      const image_floats = images.subarray(0, PIXELS)
      await refused(model.run(null, { image_floats }), 'misused', new RegExp(`^${name} is closed$`))
    })
  }

  test('refuses inputs that it would take in silence, and those that there are not', async () => {
    const model = await (await runtimeOnce()).open(modelOf('float32'), { name: 'mine' })
    const run = (inputs: object, key: string | null = null): Promise<unknown> =>
      model.run(key, inputs as Record<string, Float32Array>)
    const wants = 'mine wants image_floats as float32\\[1, 784\\] in its signature serving_default'
    const misused = (work: Promise<unknown>, message: string): Promise<void> =>
      refused(work, 'misused', new RegExp(`^${message}$`))
    const image_floats = new Float32Array(PIXELS)
    await misused(run({ image_floats: new Int32Array(PIXELS) }), `${wants}, it got int32\\[784\\]`)
    await misused(
      run({ image_floats: new Float64Array(PIXELS) }),
      `${wants}, it got float64\\[784\\]`,
    )
    await misused(run({ image_floats: new Float32Array(9) }), `${wants}, it got float32\\[9\\]`)
    await misused(run({}), `${wants}, it got none`)
    await misused(
      run({ image_floats, other: image_floats }),
      'mine takes no other in its signature serving_default, it takes image_floats',
    )
    await misused(
      run({ image_floats }, 'train'),
      'mine has no signature train, it has serving_default',
    )
    assert.ok(await run({ image_floats }))
    model.close()
  })

  test('says which tensors it cannot take', async () => {
    const opening = (await runtimeOnce()).open(modelOf('int8_io'), { name: 'int8_io.tflite' })
    await refused(
      opening,
      'unsupported',
      /^int8_io.tflite has the tensor image_floats of int8, and L/,
    )
  })

  test('compares the SHA-256 before a file is used', async () => {
    const runtime = await runtimeOnce()
    const content = modelOf('float32')
    const sha256 = createHash('sha256').update(content).digest('hex')
    const model = await runtime.open(content, { sha256 })
    model.close()
    content[content.length >> 1]! ^= 1
    const opening = runtime.open(content, { name: 'a.tflite', sha256 })
    await refused(
      opening,
      'damaged',
      /^a.tflite is damaged: its SHA-256 begins with \w{12}, expected/,
    )
  })

  test('survives what is no whole file', async () => {
    const runtime = await runtimeOnce()
    const content = modelOf('float32')
    const lengths = [0, 7, 8, 100, 5_000, content.length >> 1, content.length - 100_000]
    for (const wrong of [
      ...lengths.map((each) => content.subarray(0, each)),
      new Uint8Array(9_000),
    ]) {
      await refused(
        runtime.open(wrong, { name: 'a' }),
        'damaged',
        /^a is no TFLite file of use \(.+\); /,
      )
    }
  })

  test('frees what it took', async () => {
    const runtime = await runtimeOnce()
    const images = floatsOf('models', 'images.f32')
    const used = async (): Promise<number> => {
      const model = await runtime.open(modelOf('float32'))
      for (let run = 0; run < 20; run++) {
        await model.run(null, { image_floats: images.subarray(0, PIXELS) })
      }
      model.close()
      return getGlobalLiteRt().liteRtWasm.HEAPU8.length
    }
    await used()
    const before = await used()
    for (let round = 0; round < 12; round++) assert.equal(await used(), before)
    const model = await runtime.open(fileOf('personal', 'mlp', 'personal.tflite'))
    const { inputs, outputs } = model.signature('train_step')
    const given = inputs.map(({ name, dtype, shape }) => {
      const size = sizeOf(shape)
      return [name, dtype === 'int32' ? new Int32Array(size) : new Float32Array(size)]
    })
    const buffers = watched()
    await model.run('train_step', Object.fromEntries(given))
    assert.equal(buffers.made.size, 0)
    assert.equal(buffers.deleted, inputs.length + outputs.length)
    model.close()
  })
})

test('a file is read as it is, with a batch of 1', needsData, () => {
  const content = modelOf('float32')
  const before = content.slice()
  const { signatures, bytes } = readModelFile(content, 'mine')
  assert.deepEqual(content, before)
  const different = bytes.reduce((sum, byte, place) => sum + Number(byte !== content[place]), 0)
  assert.ok(different > 4 && different < 400)
  assert.deepEqual(signatures[0]!.inputs, [{ name: 'image_floats', type: 'float32', place: 0 }])
  assert.deepEqual(readModelFile(bytes, 'mine'), { signatures, bytes })
})
