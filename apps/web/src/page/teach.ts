// Starts a lesson: loads the package that can be taught, and the state that was kept of it.

import type { Asking } from './asking'
import { byId, bytes, say, sentenceOf } from './dom'
import { fetched, type Facts } from './facts'
import type { Input } from './input'
import { Lesson } from './lesson'
import { isKept } from './offline'
import { PersonalModel } from '../personal/client'
import { readManifest, type Manifest } from '../personal/manifest'
import { openStorage, type StateStorage } from '../personal/storage'
import type { Runtime } from '../runtime/litert'

export async function startTeaching(
  facts: Facts,
  runtime: Runtime,
  input: Input,
  asking: Asking,
): Promise<void> {
  const intro = byId('teach-intro')
  if (!facts.personal) {
    intro.textContent = facts.noPersonal
    return
  }
  const folder = facts.personal
  const names = Object.keys(facts.bytes).filter((name) => name.startsWith(folder))
  const size = names.reduce((sum, name) => sum + (facts.bytes[name] ?? 0), 0)
  intro.textContent =
    'One more model learns what you show it, here on this device: your own hand, or classes of your own.'
  const button = byId<HTMLButtonElement>('teach-start')
  button.textContent = `Start teaching (loads ${bytes(size)})`
  const start = async () => {
    button.disabled = true
    try {
      const lesson = await open(folder, runtime)
      button.hidden = true
      byId('lesson').hidden = false
      lesson.begin(input, asking)
    } catch (error) {
      button.disabled = false
      say(sentenceOf(error), 'problem')
    }
  }
  button.addEventListener('click', () => void start())
  button.hidden = false
  // Where somebody has taught already, it is all here, and goes on at once.
  if ((await Promise.all(names.map(isKept))).every(Boolean)) await start()
}

async function open(folder: string, runtime: Runtime): Promise<Lesson> {
  const content = await fetched(`${folder}personal.json`, 'personal.json')
  const manifest = readManifest(content)
  await claim(manifest)
  const [model, replay] = await Promise.all([
    fetched(folder + manifest.file, manifest.file),
    manifest.replay ? fetched(folder + manifest.replay.file, manifest.replay.file) : null,
  ])
  const personal = await PersonalModel.open({ manifest: content, model, replay }, runtime)
  let storage: StateStorage | null = null
  let problem = ''
  try {
    storage = await openStorage()
    const state = await storage.load(manifest.sha256)
    if (state) personal.importState(state, 'what was kept in this browser')
  } catch (error) {
    // What is kept there stays, until somebody resets it.
    problem = sentenceOf(error)
  }
  return new Lesson(personal, storage, problem)
}

const claimed = new Set<string>()

// Two tabs would write over each other's states.
async function claim({ sha256 }: Manifest): Promise<void> {
  if (!('locks' in navigator) || claimed.has(sha256)) return
  await new Promise<void>((resolve, reject) => {
    void navigator.locks.request(`personal-${sha256}`, { ifAvailable: true }, (lock) => {
      if (!lock) {
        reject(new Error('the model is being taught in another tab; close that one, then try again'))
        return
      }
      claimed.add(sha256)
      resolve()
      return new Promise(() => {}) // held until the tab is closed
    })
  })
}
