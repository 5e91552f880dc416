import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDevicePackage } from '../src/runtime/device_package'
import { fileOf, needsData } from './data'

type Tree = Record<string, any>

test('model.json is read as Python writes it', needsData, () => {
  const found = readDevicePackage(fileOf('models', 'model.json'))
  assert.equal(found.task, 'digits')
  assert.equal(found.inputName, 'image_floats')
  assert.equal(found.outputName, 'logits')
  assert.deepEqual(found.imageShape, [28, 28, 1])
  assert.deepEqual(found.drawing, { size: 20, field: 28, centre: 'mass' })
  assert.deepEqual(found.labels, Array.from('0123456789'))
  const [float32, int8] = [found.models[0]!, found.models.at(-1)!]
  assert.deepEqual([float32.name, float32.file], ['float32', 'float32.tflite'])
  assert.match(float32.sha256, /^[0-9a-f]{64}$/)
  assert.deepEqual(float32.input, { dtype: 'float32', shape: [null, 784], quantization: null })
  assert.equal(float32.metrics['accuracy'], 0.985)
  assert.equal(int8.input.dtype, 'int8')
  assert.ok(int8.output.quantization!.scale > 0)
  assert.ok(Number.isInteger(int8.output.quantization!.zeroPoint))
})

test('what is not as it should be is told by its key', needsData, () => {
  const refused = (change: (tree: Tree) => void, reason: string): void => {
    const tree = JSON.parse(new TextDecoder().decode(fileOf('models', 'model.json'))) as Tree
    change(tree)
    assert.throws(() => readDevicePackage(JSON.stringify(tree)), {
      name: 'RuntimeError',
      trouble: 'damaged',
      message: `model.json cannot be used: ${reason}; push the device models anew`,
    })
  }
  refused((tree) => delete tree['labels'], 'labels is not there, expected a list')
  refused((tree) => (tree['labels'] = ['a', 'a']), 'labels is ["a","a"], expected different names')
  refused((tree) => (tree['labels'][1] = 7), 'labels[1] is 7, expected a text')
  refused((tree) => (tree['models'] = []), 'models is [], expected at least one model')
  refused((tree) => (tree['input'] = 3), 'input is 3, expected an object')
  refused(
    (tree) => (tree['input']['image_shape'] = [28, 28, 2]),
    'input.image_shape is [28,28,2], expected 1 or 3 channels',
  )
  refused(
    (tree) => (tree['input']['image_shape'] = [28, 28]),
    'input.image_shape is [28,28], expected height, width and channels',
  )
  refused(
    (tree) => (tree['input']['image_shape'][0] = 0),
    'input.image_shape[0] is 0, expected a whole number from 1 on',
  )
  refused(
    (tree) => (tree['input']['drawing']['centre'] = 'top'),
    'input.drawing.centre is "top", expected mass or box',
  )
  refused(
    (tree) => (tree['models'][1]['file'] = 'http://a/b.tflite'),
    'models[1].file is "http://a/b.tflite", expected the name of a file beside it',
  )
  refused(
    (tree) => (tree['models'][0]['sha256'] = 'AB'),
    'models[0].sha256 is "AB", expected 64 hexadecimal digits',
  )
  refused((tree) => (tree['models'][0]['input']['shape'] = [1.5]), shape('1.5'))
  assert.throws(() => readDevicePackage('{'), {
    message: /^model.json cannot be used: it is no JSON/,
  })
  assert.throws(() => readDevicePackage(Uint8Array.of(0xff)), { message: /it is no JSON \(/ })
  assert.throws(() => readDevicePackage('[]'), {
    message: /: it is \[\], expected an object; push/,
  })
})

function shape(found: string): string {
  return `models[0].input.shape[0] is ${found}, expected a whole number from 0 on`
}

test('data sets that are only resized have no drawing', needsData, () => {
  const tree = JSON.parse(new TextDecoder().decode(fileOf('models', 'model.json'))) as Tree
  for (const drawing of [null, undefined]) {
    tree['input']['drawing'] = drawing
    assert.equal(readDevicePackage(JSON.stringify(tree)).drawing, null)
  }
})
