import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import type { PersonalModel } from '../src/personal/client'
import type { EpochResult, StepResult } from '../src/personal/training'
import { fileOf, floatsOf, jsonOf, needsData, pathOf } from './data'
import { BATCH, imagesOf, opened, STAR } from './personal_package'

async function told(model: PersonalModel, image: Float32Array): Promise<string> {
  const guesses = await model.infer(image)
  return guesses.reduce((one, other) => (other.probability > one.probability ? other : one)).name
}

async function shareOf(
  model: PersonalModel,
  images: Float32Array[],
  name: string,
): Promise<number> {
  const names = await Promise.all(images.map((image) => told(model, image)))
  return names.filter((each) => each === name).length / images.length
}

for (const head of ['softmax', 'mlp']) {
  suite(`a package with the head ${head}`, needsData, () => {
    test('tells what Python tells, after a state of its', async () => {
      const model = await opened(head)
      model.importState(fileOf('personal', head, 'state.safetensors'))
      assert.equal(model.classNames[3], STAR)
      assert.deepEqual(model.counts, [0, 0, 0, 8])
      assert.equal(model.freeOutputs, 1)
      assert.equal(model.step, 4)
      const expected = jsonOf<Record<string, number>[]>('personal', head, 'told.json')
      for (const [index, image] of imagesOf(head, 'images.f32').entries()) {
        for (const { name, probability } of await model.infer(image)) {
          assert.ok(Math.abs(probability - expected[index]![name]!) < 1e-5)
        }
      }
      model.close()
    })

    test('takes the steps that Python takes; Python compares what comes of them', async () => {
      const model = await opened(head)
      model.importState(fileOf('personal', head, 'state.safetensors'))
      const features = floatsOf('personal', head, 'features.f32')
      const labels = floatsOf('personal', head, 'labels.f32')
      const losses = jsonOf<number[]>('personal', head, 'losses.json')
      const [size, classes] = [model.manifest.features * BATCH, model.manifest.numClasses * BATCH]
      for (const [step, expected] of losses.entries()) {
        const loss = await model.trainBatch(
          features.slice(step * size, (step + 1) * size),
          labels.slice(step * classes, (step + 1) * classes),
        )
        assert.ok(Math.abs(loss - expected) < 1e-5)
      }
      assert.equal(model.step, 4 + losses.length)
      writeFileSync(pathOf('personal', head, 'same-steps.safetensors'), model.exportState())
      model.close()
    })

    test('learns a new class and keeps the old ones; Python goes on with the state', async () => {
      const model = await opened(head)
      const [known, fresh] = [imagesOf(head, 'images.f32'), imagesOf(head, 'new.f32')]
      for (const image of fresh) await model.add(image, STAR)
      assert.equal(await shareOf(model, fresh, STAR), 0)
      const steps: StepResult[] = []
      const epochs: EpochResult[] = []
      const result = await model.train(20, {
        onStep: (step) => steps.push(step),
        onEpoch: (epoch) => epochs.push(epoch),
      })
      assert.deepEqual(result, { epochs, isStopped: false })
      assert.deepEqual(
        epochs.map((each) => each.epoch),
        Array.from({ length: 20 }, (_, i) => i + 1),
      )
      assert.ok(epochs[19]!.loss < epochs[0]!.loss / 3)
      assert.equal(epochs[19]!.accuracy, 1)
      assert.equal(model.step, 100)
      assert.deepEqual(
        steps.map((each) => each.step),
        Array.from({ length: 100 }, (_, i) => i + 1),
      )
      assert.ok(steps.every((each) => each.steps === 100))
      assert.equal(await shareOf(model, fresh, STAR), 1)
      for (const label of [0, 1, 2]) {
        const images = known.slice(3 * label, 3 * label + 3)
        assert.equal(await shareOf(model, images, model.classNames[label]!), 1)
      }
      writeFileSync(pathOf('personal', head, 'own.safetensors'), model.exportState())
      const all = await Promise.all(known.map((image) => model.infer(image)))
      const asPython = all.map((each) =>
        Object.fromEntries(each.map(({ name, probability }) => [name, probability])),
      )
      writeFileSync(pathOf('personal', head, 'own-told.json'), JSON.stringify(asPython))
      model.close()
    })

    test('gives the same numbers for the same calls, with an export in between', async () => {
      const states = [opened(head), opened(head), opened(head, { seed: 1 })].map(
        async (opening) => {
          const model = await opening
          for (const image of imagesOf(head, 'new.f32')) await model.add(image, STAR)
          return model
        },
      )
      const [one, other, third] = (await Promise.all(states)) as [
        PersonalModel,
        PersonalModel,
        PersonalModel,
      ]
      await one.train(4)
      await other.train(1)
      const half = other.exportState()
      await other.train(5)
      other.importState(half)
      await other.train(3)
      await third.train(4)
      assert.deepEqual(other.exportState(), one.exportState())
      assert.notDeepEqual(third.exportState(), one.exportState())
      for (const model of [one, other, third]) model.close()
    })
  })
}
