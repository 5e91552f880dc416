// Starts the page: what it was laid out with, the runtime, the models, and then the teaching.

import { Asking } from './asking'
import { byId, bytes, hush, say, sentenceOf } from './dom'
import { fetched, readFacts, type Facts } from './facts'
import { Input } from './input'
import { Models } from './models'
import { startServiceWorker } from './offline'
import { Seen } from './seen'
import { startTeaching } from './teach'
import { readDevicePackage, type DevicePackage } from '../runtime/device_package'
import { loadRuntime, type Runtime } from '../runtime/litert'
import { pageSource } from '../runtime/source'

const SCRIPTS = { fast: 'litert_wasm_internal', compatible: 'litert_wasm_compat_internal' }

async function start(): Promise<void> {
  byId('message-close').addEventListener('click', hush)
  const facts = readFacts()
  byId('reload').addEventListener('click', () => location.reload())
  const notKept = await startServiceWorker(facts.version, () => {
    byId('update').hidden = false
  })
  byId('offline').textContent = notKept || 'What was loaded once works without a network.'
  const source = pageSource(facts.wasm)
  const [pack, runtime] = await Promise.all([
    fetched(`${facts.device}model.json`, 'model.json').then(readDevicePackage),
    loadRuntime(source),
  ])
  byId('runtime').textContent =
    `LiteRT.js, ${runtime.build === 'fast' ? 'with relaxed SIMD' : 'the compatible build'}.`
  await show(facts, pack, runtime)
}

async function show(facts: Facts, pack: DevicePackage, runtime: Runtime): Promise<void> {
  const [height, width] = pack.imageShape
  const size = `${width}×${height}`
  const seen = new Seen(
    pack.imageShape,
    pack.drawing
      ? `${size}, scaled and centred by ${pack.drawing.centre === 'mass' ? 'mass' : 'its box'}`
      : `${size}, resized and otherwise as it is`,
  )
  const models = new Models(facts, pack, runtime, byId('models'), await spent(facts, runtime), () => {
    asking.again()
    offerRest(models)
  })
  const asking = new Asking(models, seen, invitation(pack))
  const input = new Input(pack, (shown) => asking.ask(shown))
  const rest = byId<HTMLButtonElement>('load-rest')
  rest.addEventListener('click', () => {
    rest.disabled = true
    void models.loadRest().finally(() => (rest.disabled = false))
  })
  await models.loadWhatIsCheap()
  performance.mark('ready')
  offerRest(models)
  await startTeaching(facts, runtime, input, asking)
}

function invitation(pack: DevicePackage): string {
  const names = pack.labels.length > 12 ? [...pack.labels.slice(0, 11), '…'] : pack.labels
  const what = pack.drawing ? 'Draw one of' : 'Show a photo of one of'
  return `${what}: ${names.join(', ')}.`
}

// What page and runtime took over the wire: by gzip, or by what the host does better with the
// largest file. It is asked without its content.
async function spent(facts: Facts, runtime: Runtime): Promise<number> {
  const stem = SCRIPTS[runtime.build]
  const used = Object.entries(facts.bytes).filter(
    ([path]) => path.startsWith('page-') || path.includes(`/${stem}.`),
  )
  const sum = used.reduce((total, [, size]) => total + size, 0)
  const wasm = `${facts.wasm}${stem}.wasm`
  const gzipped = facts.bytes[wasm] ?? 0
  const response = await fetch(wasm, { method: 'HEAD' }).catch(() => null)
  const length = Number(response?.ok ? response.headers.get('Content-Length') : 0)
  return length > 0 && length < gzipped ? sum - gzipped + length : sum
}

function offerRest(models: Models): void {
  const rest = byId<HTMLButtonElement>('load-rest')
  rest.hidden = models.waiting === 0
  rest.textContent = `Load all, ${bytes(models.waiting)}`
}

window.addEventListener('unhandledrejection', (event) => {
  say(sentenceOf(event.reason), 'problem')
})

start().catch((error: unknown) => {
  const lack = byId('lack')
  lack.textContent = sentenceOf(error)
  lack.hidden = false
  byId('verdict').textContent = 'The models cannot be run.'
})
