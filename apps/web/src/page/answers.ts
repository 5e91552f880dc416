// What models say of an image, as probabilities, and how far they agree.

import { percent } from './dom'
import { softmax } from '../runtime/softmax'

export interface Answer {
  readonly name: string // of the model
  readonly labels: readonly string[]
  readonly logits: Float32Array
  readonly shares: readonly number[] // probabilities, of each label
  readonly first: number // the most probable
}

export function answerOf(name: string, labels: readonly string[], logits: Float32Array): Answer {
  const shares = softmax(logits.subarray(0, labels.length))
  return { name, labels, logits, shares, first: shares.indexOf(Math.max(...shares)) }
}

export interface Consensus {
  readonly sentence: string
  readonly label: string | null // what most say
  readonly isSplit: boolean
}

// Returns what most models say; of two that as many say, that with the higher probability.
export function consensusOf(answers: readonly Answer[]): Consensus {
  const votes = new Map<string, Answer[]>()
  for (const answer of answers) {
    const label = answer.labels[answer.first] as string
    votes.set(label, [...(votes.get(label) ?? []), answer])
  }
  const sums = (group: Answer[]) => group.reduce((sum, a) => sum + (a.shares[a.first] ?? 0), 0)
  const ranked = [...votes].sort(([, a], [, b]) => b.length - a.length || sums(b) - sums(a))
  const [first, ...others] = ranked
  if (!first) return { sentence: '', label: null, isSplit: false }
  const [label, group] = first
  const sure = percent(sums(group) / group.length)
  if (!others.length) {
    const who = answers.length > 1 ? `All ${answers.length} models say` : `${group[0]?.name} says`
    return { sentence: `${who} ${label}, ${sure} sure.`, label, isSplit: false }
  }
  const rest = others.map(([other, some]) => `${some.map((a) => a.name).join(', ')}: ${other}`)
  return {
    sentence: `The models disagree. ${label} by ${group.length} of ${answers.length}; ${rest.join('; ')}.`,
    label,
    isSplit: true,
  }
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}
