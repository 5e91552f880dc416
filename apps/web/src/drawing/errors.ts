/** Pixels that cannot become an image of a task; its message is one sentence that says why. */
export class DrawingError extends Error {
  override readonly name = 'DrawingError'
}
