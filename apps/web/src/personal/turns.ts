const TURN = 8 // milliseconds, half of a screen's frame

/**
 * Returns a function to be awaited often: now and then, it lets others have their turns, as a page
 * that is drawn and clicked on while something takes long.
 */
export function breathe(): () => Promise<void> {
  let last = performance.now()
  return async () => {
    if (performance.now() - last < TURN) return
    await new Promise((resolve) => setTimeout(resolve))
    last = performance.now()
  }
}
