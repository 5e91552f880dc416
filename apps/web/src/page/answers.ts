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

// Returns what most models say; of two labels that as many say, that with the higher probability.
// A label that only `own` can know is told, and is no disagreement.
export function consensusOf(pushed: readonly Answer[], own: Answer | null): Consensus {
  const said = own?.labels[own.first]
  const isNew = own !== null && pushed.length > 0 && !pushed[0]!.labels.includes(said!)
  const answers = own && !isNew ? [own, ...pushed] : pushed
  const votes = new Map<string, Answer[]>()
  for (const answer of answers) {
    const label = answer.labels[answer.first]!
    votes.set(label, [...(votes.get(label) ?? []), answer])
  }
  const sum = (group: Answer[]) => group.reduce((total, a) => total + a.shares[a.first]!, 0)
  const ranked = [...votes].sort(([, a], [, b]) => b.length - a.length || sum(b) - sum(a))
  const [first, ...others] = ranked
  if (!first) return { sentence: '', label: null, isSplit: false }
  const [label, group] = first
  const also = isNew ? ` Yours says ${said}.` : ''
  if (!others.length) {
    const many = answers.length === 2 ? 'Both' : `All ${answers.length}`
    const who = answers.length > 1 ? `${many} models say` : `${group[0]!.name} says`
    const sure = percent(sum(group) / group.length)
    return { sentence: `${who} ${label}, ${sure} sure.${also}`, label, isSplit: false }
  }
  const rest = others.map(([other, some]) => `${some.map((a) => a.name).join(', ')}: ${other}`)
  const most = `${label} by ${group.length} of ${answers.length}`
  return {
    sentence: `The models disagree. ${most}; ${rest.join('; ')}.${also}`,
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
