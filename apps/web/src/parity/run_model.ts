import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { reasonOf, RuntimeError } from '../runtime/errors'
import { loadRuntime } from '../runtime/litert'
import { nodeSource } from '../runtime/node_source'
import { sizeOf, type TensorInfo, type TypedArray } from '../runtime/tensors'

const USAGE = 'usage: node apps/web/dist/run-model.mjs MODEL INPUTS OUTPUTS'
const CANNOT = 3 // this runtime cannot run this file
const ARRAYS = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array }

/**
 * Runs a device model of one input and one output on rows of raw numbers, one image at a time, in
 * LiteRT.js's WASM and one thread.
 *
 * @param modelPath a TFLite file
 * @param inputsPath rows of its input tensor, little-endian; it is rows of nothing else
 * @param outputsPath gets the rows of its output tensor
 * @returns how many rows there were, and in which build they were run
 */
async function runModel(
  modelPath: string,
  inputsPath: string,
  outputsPath: string,
): Promise<{ rows: number; build: string }> {
  const runtime = await loadRuntime(nodeSource(import.meta.url))
  const model = await runtime.open(readFileSync(modelPath), { name: basename(modelPath) })
  const { signatures } = model
  const { inputs, outputs } = model.signature(null)
  const [input, output] = [inputs[0], outputs[0]]
  if (!input || !output || signatures.length + inputs.length + outputs.length > 3) {
    throw new Error(
      `${modelPath} has ${signatures.length} signatures, the first with ${inputs.length} inputs ` +
        `and ${outputs.length} outputs, expected one of each`,
    )
  }
  const given = rowsOf(readFileSync(inputsPath), input, inputsPath)
  const length = sizeOf(output.shape)
  const found = new ARRAYS[output.dtype](given.length * length)
  for (const [row, values] of given.entries()) {
    const { [output.name]: result } = await model.run(null, { [input.name]: values })
    found.set(result as TypedArray, row * length)
  }
  writeFileSync(outputsPath, new Uint8Array(found.buffer))
  model.close()
  return { rows: given.length, build: runtime.build }
}

function rowsOf(content: Uint8Array, { dtype, shape }: TensorInfo, path: string): TypedArray[] {
  const width = sizeOf(shape) * ARRAYS[dtype].BYTES_PER_ELEMENT
  if (content.length % width) {
    throw new Error(`${path} has ${content.length} bytes, expected a multiple of ${width}`)
  }
  const bytes = new Uint8Array(content)
  return Array.from(
    { length: bytes.length / width },
    (_, row) => new ARRAYS[dtype](bytes.buffer, row * width, sizeOf(shape)),
  )
}

const paths = process.argv.slice(2)
const started = performance.now()
try {
  const [modelPath, inputsPath, outputsPath, ...others] = paths
  if (!modelPath || !inputsPath || !outputsPath || others.length) throw new Error(USAGE)
  const { rows, build } = await runModel(modelPath, inputsPath, outputsPath)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.error(`${rows} images in ${seconds} s by LiteRT.js, its ${build} build, one thread`)
} catch (error) {
  console.error(reasonOf(error))
  process.exitCode = error instanceof RuntimeError && error.trouble === 'unsupported' ? CANNOT : 1
}
