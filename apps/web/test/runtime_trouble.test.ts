import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../src/personal/random'
import { RuntimeError } from '../src/runtime/errors'
import { loadRuntime } from '../src/runtime/litert'
import { readModelFile } from '../src/runtime/model_file'
import { nodeSource } from '../src/runtime/node_source'
import { fileOf, floatsOf, needsData, runtimeOnce } from './data'
import { modelOf, PIXELS, refused, watched } from './runtime_support'

test(
  'without the fast build the compatible one does; without any, it is told',
  needsData,
  async () => {
    const files = nodeSource(import.meta.url)
    const without = (...missing: string[]): typeof files => ({
      ...files,
      locate: (file) => files.locate(missing.includes(file) ? `gone-${file}` : file),
    })
    const both = ['litert_wasm_internal.js', 'litert_wasm_compat_internal.js']
    const inUse = await runtimeOnce()
    assert.equal(inUse.build, 'fast')
    inUse.close()
    await refused(
      loadRuntime(without(...both)),
      'unavailable',
      /^LiteRT.js cannot be loaded \(litert_wasm_internal.js: ENOENT.+; litert_wasm_compat_internal.j/,
    )
    for (const missing of [both[0]!, 'litert_wasm_internal.wasm']) {
      const fallback = await loadRuntime(without(missing))
      assert.equal(fallback.build, 'compatible')
      fallback.close()
    }
    const compatible = await loadRuntime(without(both[0]!))
    const model = await compatible.open(modelOf('float32'))
    const image_floats = floatsOf('models', 'images.f32').subarray(0, PIXELS)
    const { logits } = await model.run(null, { image_floats })
    const expected = floatsOf('models', 'float32.f32')
    for (const [place, logit] of (logits as Float32Array).entries()) {
      assert.ok(Math.abs(logit - expected[place]!) < 1e-5)
    }
    compatible.close()
    assert.equal(compatible.isUsable, false)
    const opening = compatible.open(readModelFile(minimal(), '').bytes)
    await refused(
      opening,
      'unavailable',
      /^the runtime cannot be used any more \(it was closed\); load/,
    )
  },
)

test('no damage to a file does more than a sentence', needsData, async () => {
  const content = fileOf('personal', 'mlp', 'personal.tflite')
  let runtime = await loadRuntime(nodeSource(import.meta.url))
  let buffers = watched()
  const troubles = new Set<string>()
  for (let seed = 0; seed < 60; seed++) {
    const random = new Random([seed])
    const wrong = content.slice()
    for (let byte = 0; byte < 4; byte++) wrong[random.below(wrong.length)] = random.below(256)
    try {
      const model = await runtime.open(wrong, { name: 'a' })
      await model.run('initial', {})
      await model.run('bottleneck', { image_floats: new Float32Array(36) })
      model.close()
    } catch (error) {
      assert.ok(error instanceof RuntimeError)
      assert.match(error.message, /^a [^\n]+$/)
      troubles.add(error.trouble)
    }
    if (runtime.isUsable) {
      assert.equal(buffers.made.size, 0)
      continue
    }
    runtime.close()
    runtime = await loadRuntime(nodeSource(import.meta.url))
    buffers = watched()
  }
  assert.ok(troubles.has('damaged') && troubles.has('unsupported'))
  const model = await runtime.open(content)
  assert.ok(await model.run('initial', {}))
  runtime.close()
})

/** Returns a file whose one subgraph is empty. */
function minimal(): Uint8Array {
  const table = [4, 0, 4, 0, 4, 0, 0, 0] // a vtable without fields, and its table
  const root = [20, 0, 0, 0, ...new TextEncoder().encode('TFL3')]
  const vtable = [10, 0, 8, 0, 0, 0, 0, 0, 4, 0, 0, 0] // subgraphs at 4
  const model = [12, 0, 0, 0, 4, 0, 0, 0]
  const subgraphs = [1, 0, 0, 0, 8, 0, 0, 0]
  return Uint8Array.from([...root, ...vtable, ...model, ...subgraphs, ...table])
}
