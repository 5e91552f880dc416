/// <reference lib="webworker" />
// Keeps what the page has loaded, so that it opens without a network. `SITE` is put before this
// file when the site is laid out: a new site is a new file, which browsers look for by themselves.
//
// Only index.html changes under its name, and is asked for anew where there is a network. All else
// has a digest in its name: what a site no longer lists is dropped, the rest stays.

export {}

interface SiteFacts {
  version: string
  shell: string[]; // what the page shows itself with
  files: string[]; // all that has a digest in its name
}

declare const self: ServiceWorkerGlobalScope & {SITE: SiteFacts}

const PREFIX = 'page-'
const CACHE = PREFIX + self.SITE.version
const NETWORK_MS = 3000; // a network that is there but says nothing

self.addEventListener('install', (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE)
      await cache.addAll(self.SITE.shell)
      await self.skipWaiting()
    })(),
  )
})

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE)
      const kept = new Set(self.SITE.files.map(absolute))
      for (const name of await caches.keys()) {
        if (!name.startsWith(PREFIX) || name === CACHE) continue
        const old = await caches.open(name)
        for (const request of await old.keys()) {
          if (!kept.has(request.url) || (await cache.match(request))) continue
          const response = await old.match(request)
          if (response) await cache.put(request, response)
        }
        await caches.delete(name)
      }
      await self.clients.claim()
      for (const client of await self.clients.matchAll()) client.postMessage(self.SITE.version)
    })(),
  )
})

self.addEventListener('fetch', (event) => {
  const {request} = event
  if (request.method !== 'GET' || !request.url.startsWith(self.registration.scope)) return
  event.respondWith(request.mode === 'navigate' ? page(request) : file(request))
})

async function page(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE)
  try {
    const response = await fetch(request, {signal: AbortSignal.timeout(NETWORK_MS)})
    if (!response.ok) throw new Error(`status ${response.status}`)
    return response
  } catch {
    return (await cache.match('./')) ?? Response.error()
  }
}

async function file(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE)
  const known = await cache.match(request.url)
  if (known) return known
  const response = await fetch(request)
  if (response.ok && self.SITE.files.some((name) => absolute(name) === request.url)) {
    // A full disk must not keep the page from its file.
    await cache.put(request.url, response.clone()).catch(() => undefined)
  }
  return response
}

function absolute(name: string): string {
  return new URL(name, self.registration.scope).href
}
