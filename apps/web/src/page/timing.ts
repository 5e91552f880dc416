// How long a model takes.

import { median } from './answers'

const RUNS = 7

// Returns the median time of a few runs in microseconds; null where `isLate` says to leave it.
export async function microsecondsOf(
  run: () => Promise<unknown>,
  isLate: () => boolean,
): Promise<number | null> {
  const times: number[] = []
  while (times.length < RUNS) {
    if (isLate()) return null
    const start = performance.now()
    await run()
    times.push(performance.now() - start)
  }
  return 1000 * median(times)
}
