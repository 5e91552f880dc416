/** Returns the probabilities of logits; their sum is 1. */
export function softmax(logits: ArrayLike<number>): number[] {
  const numbers = Array.from(logits)
  const most = Math.max(...numbers)
  const powers = numbers.map((logit) => Math.exp(logit - most))
  const sum = powers.reduce((total, power) => total + power, 0)
  return powers.map((power) => power / sum)
}
