import type { Runtime } from '../runtime/litert'
import type { Mixture } from './batches'
import { PersonalError } from './errors'
import { readManifest, type Manifest } from './manifest'
import { readReplay } from './replay'
import type { Samples } from './reservoir'
import { Signatures } from './signatures'
import type { Expected } from './state'

/** The content of a package's files; `replay` is null where the manifest's is. */
export interface PackageFiles {
  readonly manifest: Uint8Array
  readonly model: Uint8Array
  readonly replay: Uint8Array | null
}

export interface PersonalOptions {
  /** Of a batch, by weight and by rows, that is the package's own images: 0.5; 0 for none. */
  readonly replayShare?: number
  /** Of the user's that are kept of each class: 50. */
  readonly samplesPerClass?: number
  /** Of all that is drawn: 0. */
  readonly seed?: number
}

/** A package whose files were checked, with its model open. */
export interface OpenPackage {
  readonly manifest: Manifest
  readonly signatures: Signatures
  /** Samples of the package's own to train on; null where there are none. */
  readonly replay: Samples | null
  readonly mixture: Mixture
  /** What a state of it has to go with. */
  readonly expected: Expected
}

/**
 * Opens a package.
 *
 * @throws PersonalError the package is damaged, or has no room for such a share in a batch
 * @throws RuntimeError its model is damaged, or the runtime cannot run it
 */
export async function openPackage(
  files: PackageFiles,
  runtime: Runtime,
  { replayShare = 0.5 }: PersonalOptions,
): Promise<OpenPackage> {
  const manifest = readManifest(files.manifest)
  const { file: name, sha256, numClasses, batchSize: rows } = manifest
  const shipped = await readReplay(files.replay, manifest)
  const replay = replayShare ? shipped : null
  const replayed = replay ? roundedToEven(rows * replayShare) : 0
  if (!(replayed >= 0 && replayed < rows && Boolean(replay) === Boolean(replayed))) {
    throw new PersonalError(
      `replayShare is ${replayShare}, which of a batch of ${rows} images leaves ${replayed} to ` +
        `the package's and ${rows - replayed} to the user's; expected some`,
    )
  }
  const model = await runtime.open(files.model, { name, sha256 })
  try {
    const signatures = await Signatures.of(model, manifest)
    const mixture = { own: rows - replayed, replayed, numClasses }
    return { manifest, signatures, replay, mixture, expected: expectedOf(manifest, signatures) }
  } catch (error) {
    model.close()
    throw error
  }
}

function expectedOf(manifest: Manifest, { initial, tensors }: Signatures): Expected {
  const { model, sha256: modelSha256, labelNames: classNames, numClasses, features } = manifest
  const samples = { features: new Float32Array(0), labels: new Int32Array(0) }
  const seen = Array.from({ length: numClasses }, () => 0)
  const fresh = { model, modelSha256, classNames, step: 0, values: initial, samples, seen }
  return { fresh, tensors, features }
}

/** Rounds as Python does, so that batches are made alike. */
function roundedToEven(number: number): number {
  return number % 1 === 0.5 ? 2 * Math.round(number / 2) : Math.round(number)
}
