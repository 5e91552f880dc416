import { sha256Of } from '../runtime/sha256'
import { PersonalError } from './errors'
import type { Manifest } from './manifest'
import type { Samples } from './reservoir'
import { readTensors, type FileTensor } from './tensor_files'

/**
 * Reads `replay.safetensors`: features of images that the model was trained on, against forgetting.
 *
 * @param content null where the package has none
 * @returns null where the package has none
 * @throws PersonalError the file is missing, damaged, or not of this package's form
 * @throws RuntimeError (`unavailable`) nothing can be checked here
 */
export async function readReplay(
  content: Uint8Array | null,
  manifest: Manifest,
): Promise<Samples | null> {
  const { replay, labelNames, features: size } = manifest
  if (!replay) return null
  if (!content) throw new PersonalError(`${replay.file} is missing; take the package anew`)
  const found = await sha256Of(content)
  if (found !== replay.sha256) {
    throw new PersonalError(
      `${replay.file} is damaged: its SHA-256 begins with ${found.slice(0, 12)}, its package's ` +
        `manifest says ${replay.sha256.slice(0, 12)}; take the package anew`,
    )
  }
  const { tensors } = readTensors(content, replay.file)
  const features = taken(tensors, 'features', 'F16', [replay.images, size], replay.file)
  const labels = taken(tensors, 'labels', 'I32', [replay.images], replay.file)
  const isGood =
    features.every(Number.isFinite) && labels.every((each) => each >= 0 && each < labelNames.length)
  if (!isGood) {
    throw new PersonalError(
      `${replay.file} has features that are not finite, or labels beyond 0 to ` +
        `${labelNames.length - 1}; take the package anew`,
    )
  }
  return { features: features as Float32Array, labels: labels as Int32Array }
}

function taken(
  tensors: ReadonlyMap<string, FileTensor>,
  name: string,
  type: string,
  shape: readonly number[],
  file: string,
): FileTensor['values'] {
  const found = tensors.get(name)
  const form = (each: { type: string; shape: readonly number[] }): string =>
    `${each.type}[${each.shape.join(', ')}]`
  if (!found || form(found) !== form({ type, shape }) || tensors.size !== 2) {
    throw new PersonalError(
      `${file} has ${found ? form(found) : 'nothing'} as ${name}, or other arrays besides, ` +
        `expected ${form({ type, shape })}; take the package anew`,
    )
  }
  return found.values
}
