import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toImage } from '../src/drawing/image'
import type { Drawing } from '../src/drawing/drawing'
import { toResized } from '../src/drawing/resized'
import { fileOf, jsonOf, needsData } from './data'

interface Case {
  readonly width: number
  readonly height: number
  readonly shape: [number, number, number]
  readonly drawing: Drawing | null
  readonly error?: string
}

test('drawings and photos become the images that Python makes of them', needsData, () => {
  const cases = jsonOf<Case[]>('pixels', 'cases.json')
  for (const [number, { width, height, shape, drawing, error }] of cases.entries()) {
    const pixels = fileOf('pixels', `${number}.pixels`)
    const made = (): Uint8Array =>
      drawing
        ? toImage(pixels, width, height, drawing, [shape[0], shape[1]])
        : toResized(pixels, width, height, shape)
    if (error) {
      assert.throws(made, { name: 'DrawingError', message: error })
      continue
    }
    const expected = fileOf('pixels', `${number}.image`)
    assert.deepEqual(made(), new Uint8Array(expected), `case ${number}, ${width} x ${height}`)
  }
  assert.ok(cases.length > 100 && cases.some((each) => each.error))
})

test('pixels that do not go with a size are told', () => {
  const drawing: Drawing = { size: 20, field: 28, centre: 'mass' }
  const message = 'has 8 numbers, expected four for each of 2 x 2 pixels'
  for (const made of [
    () => toImage(new Uint8Array(8), 2, 2, drawing, [28, 28]),
    () => toResized(new Uint8Array(8), 2, 2, [28, 28, 1]),
  ]) {
    assert.throws(made, { name: 'DrawingError', message })
  }
})
