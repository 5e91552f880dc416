/** What may be wrong where a model is loaded or run. */
export type Trouble =
  | 'damaged' // the file is not what it should be
  | 'unsupported' // the file is whole, but this runtime cannot run it
  | 'misused' // what was asked of a model does not go with it
  | 'unavailable' // the runtime itself cannot be had here, or has crashed

/** A model or a runtime that cannot be used; its message is one sentence that says why. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError'

  constructor(
    readonly trouble: Trouble,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** Returns what an error that somebody threw says, whatever it is. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
