// What all parts of the page need of the document.

export function byId<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id)
  if (!found) throw new Error(`there is no #${id} in index.html`)
  return found as T
}

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = '',
  text = '',
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  if (className) element.className = className
  if (text) element.textContent = text
  return element
}

export function sentenceOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  const first = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(first) ? first : `${first}.`
}

const SHOWN_MS = 12_000
let hiding = 0

// Says a sentence at the foot of the page, also to a screen reader; a problem stays until it is closed.
export function say(sentence: string, kind: 'note' | 'problem' = 'note'): void {
  const box = byId('message')
  window.clearTimeout(hiding)
  byId('message-text').textContent = sentence
  box.dataset.kind = kind
  box.hidden = false
  if (kind === 'note') hiding = window.setTimeout(hush, SHOWN_MS)
}

export function hush(): void {
  byId('message').hidden = true
}

export function bytes(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} MB`
  return count >= 1000 ? `${Math.round(count / 1000)} kB` : `${count} B`
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(share > 0.9995 || share < 0.0005 ? 0 : 1)}%`
}
