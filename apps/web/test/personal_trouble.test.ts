import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { PersonalModel } from '../src/personal/client'
import { fileOf, needsData, runtimeOnce } from './data'
import { BATCH, imagesOf, opened, PIXELS, STAR } from './personal_package'

suite('what goes wrong', needsData, () => {
  test('a stopped training leaves the steps that were taken, and others their turns', async () => {
    const model = await opened('mlp')
    for (const image of imagesOf('mlp', 'new.f32')) await model.add(image, STAR)
    const stop = new AbortController()
    let turns = 0
    const interval = setInterval(() => (turns += 1), 1)
    const result = await model.train(100_000, {
      signal: stop.signal,
      onStep: ({ step }) => {
        if (turns > 5 && step > 7) stop.abort()
      },
    })
    clearInterval(interval)
    assert.equal(result.isStopped, true)
    assert.ok(model.step >= 7 && turns > 5)
    const before = model.exportState()
    assert.deepEqual(await model.train(3, { signal: AbortSignal.abort() }), {
      epochs: [],
      isStopped: true,
    })
    assert.deepEqual(model.exportState(), before)
    model.close()
  })

  test('a step that is not finite is not taken', async () => {
    const model = await opened('softmax')
    const [image] = imagesOf('softmax', 'new.f32') as [Float32Array]
    await model.add(image, STAR)
    await model.train(1)
    const before = model.exportState()
    const { features: size, numClasses } = model.manifest
    const oneHot = (label: number, weight = 1): Float32Array => {
      const rows = new Float32Array(BATCH * numClasses)
      for (let row = 0; row < BATCH; row++) rows[row * numClasses + label] = weight
      return rows
    }
    const features = (value: number): Float32Array => new Float32Array(BATCH * size).fill(value)
    const refused = (batch: Promise<number>, message: RegExp): Promise<void> =>
      assert.rejects(batch, { message })
    await refused(
      model.trainBatch(features(3e38), oneHot(1)),
      /^step 2 was not taken: a training step gives .+ that are not finite; the model is as b/,
    )
    await refused(model.trainBatch(features(NaN), oneHot(1)), /there are features to train on that/)
    await refused(model.trainBatch(features(1), oneHot(1, 0)), /a row that does not name one class/)
    await refused(model.trainBatch(features(1), oneHot(1, -1)), /a row that does not name one cla/)
    const integers = Int32Array.from(oneHot(1)) as unknown as Float32Array
    await refused(
      model.trainBatch(features(1), integers),
      /labels are int32, expected float32 rows/,
    )
    await refused(
      model.trainBatch(features(1).subarray(1), oneHot(1)),
      /^personal.tflite wants features as float32\[8, 24\] in its signature train_step, it got f/,
    )
    assert.deepEqual(model.exportState(), before)
    model.close()
  })

  test('images, names and epochs that cannot be are told', async () => {
    const model = await opened('softmax')
    const image = new Float32Array(PIXELS)
    const refused = (work: Promise<unknown>, message: string | RegExp): Promise<void> =>
      assert.rejects(work, { name: 'PersonalError', message })
    await refused(model.add(image, ' '), "the label is ' ', expected the name of a class")
    await refused(
      model.add(image.subarray(1), 'a'),
      /^the image is float32\[35\], expected float32/,
    )
    await refused(
      model.add(image.fill(NaN, 3, 4), 'a'),
      /^the image has the number NaN, expected 0/,
    )
    await refused(model.infer(image.fill(1.01, 3, 4)), /^the image has the number 1.00999999046/)
    await refused(model.train(1), 'there is nothing to train on; add images first')
    await refused(model.train(0.5), 'epochs is 0.5, expected a whole number above 0')
    image.fill(0)
    await model.add(image, 'a')
    await model.add(image, 'b')
    await refused(
      model.add(image, 'c'),
      "there is no output free for a class 'c': all 5 have a name (cross, line, ring, a, b)",
    )
    const training = model.train(3)
    await refused(model.train(1), 'it cannot be trained once more while it is trained; stop that')
    assert.throws(() => model.importState(new Uint8Array(0)), {
      message: /^it cannot take another /,
    })
    await training
    const before = model.exportState()
    assert.throws(() => model.importState(new Uint8Array(9), 'mine.safetensors'), {
      name: 'PersonalError',
      message: /^mine.safetensors is no whole safetensors file/,
    })
    assert.throws(() => model.importState(fileOf('states', 'good.safetensors')), {
      message:
        /^the file is of the model cnn \(abababababab\), and this is the model small-softmax/,
    })
    assert.deepEqual(model.exportState(), before)
    model.close()
  })

  test('the last sample is taken back, and its class where that came with it', async () => {
    const model = await opened('softmax', { samplesPerClass: 2 })
    const [one, other, third] = imagesOf('softmax', 'new.f32') as [
      Float32Array,
      Float32Array,
      Float32Array,
    ]
    const states: Uint8Array[] = []
    const adding: [Float32Array, string][] = [
      [one, 'ring'],
      [other, STAR],
      [third, STAR],
      ...Array.from({ length: 9 }, (_, index): [Float32Array, string] => [
        index % 2 ? one : third,
        STAR, // in place of others, or not at all
      ]),
    ]
    for (const [image, name] of adding) {
      states.push(model.exportState())
      await model.add(image, name)
    }
    assert.deepEqual(model.counts, [0, 0, 1, 2])
    while (model.canUndo) {
      assert.equal(model.undo(), true)
      assert.deepEqual(model.exportState(), states.pop())
    }
    assert.equal(model.undo(), false)
    assert.equal(states.length, 0)
    assert.equal(model.freeOutputs, 2)
    model.close()
  })

  test('a package that is damaged is refused before it is run', async () => {
    const file = (name: string): Uint8Array => fileOf('personal', 'mlp', name)
    const model = file('personal.tflite')
    const files = { manifest: file('personal.json'), model, replay: file('replay.safetensors') }
    const refused = async (change: object, message: RegExp): Promise<void> => {
      const opening = PersonalModel.open({ ...files, ...change }, await runtimeOnce())
      await assert.rejects(opening, { message })
    }
    const flipped = (content: Uint8Array): Uint8Array =>
      content.map((byte, place) => (place === content.length >> 1 ? byte ^ 1 : byte))
    await refused({ model: flipped(model) }, /^personal.tflite is damaged: its SHA-256 begins with/)
    await refused(
      { replay: flipped(files.replay) },
      /^replay.safetensors is damaged: its SHA-256 b/,
    )
    await refused({ replay: null }, /^replay.safetensors is missing; take the package anew$/)
    const said = (key: string, value: unknown): { manifest: Uint8Array } => {
      const manifest = { ...JSON.parse(new TextDecoder().decode(files.manifest)), [key]: value }
      return { manifest: new TextEncoder().encode(JSON.stringify(manifest)) }
    }
    await refused(
      said('schema_version', 2),
      /^personal.json cannot be used: schema_version is 2, ex/,
    )
    await refused(
      said('num_classes', 2),
      /num_classes is 2, expected a whole number from 3 on; take/,
    )
    await refused(
      said('file', '../a'),
      /file is "\.\.\/a", expected the name of a file beside it; t/,
    )
    await refused(
      said('label_names', ['a']),
      /task.label_names is .+, expected the same as label_na/,
    )
    await refused(
      said('batch_size', 9),
      /signature train_step: the tensor features is float32\[8, 2/,
    )
    await refused(
      said('num_classes', 4),
      /signature infer: the tensor logits is float32\[1, 5\], its/,
    )
    await refused(
      said('features', 5),
      /^replay.safetensors has F16\[30, 24\] as features, or other a/,
    )
    await refused(
      { manifest: new Uint8Array(3) },
      /^personal.json cannot be used: it is no JSON \(/,
    )
    const none = { ...files, ...said('replay', null), replay: null }
    const alone = await PersonalModel.open(none, await runtimeOnce())
    await alone.add(new Float32Array(PIXELS), 'ring')
    await alone.train(1)
    alone.close()
    for (const replayShare of [0.01, 0.99, 2, -1]) {
      const opening = opened('mlp', { replayShare })
      await assert.rejects(opening, {
        message: /^replayShare is .+, which of a batch of 8 images le/,
      })
    }
  })
})
