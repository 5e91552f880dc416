// The service worker, which keeps the page for times without a network.

const CONTROL_MS = 1500

// Waits, but not for long, until the service worker sees what the page loads, so that nothing is
// loaded twice. Returns a sentence where the page will not work offline, and "" where it will.
export async function startServiceWorker(version: string, newer: () => void): Promise<string> {
  if (!('serviceWorker' in navigator)) {
    return 'This browser keeps no pages: without a network this one will not open (it needs HTTPS or 127.0.0.1).'
  }
  // A page that stays open hears of the worker of a newer one.
  navigator.serviceWorker.addEventListener('message', ({ data }) => {
    if (data !== version) newer()
  })
  try {
    await navigator.serviceWorker.register('service-worker.js', {updateViaCache: 'none'})
  } catch (error) {
    return `The page cannot be kept for times without a network: ${(error as Error).message}`
  }
  if (!navigator.serviceWorker.controller) {
    await Promise.race([
      new Promise<void>((resolve) => {
        navigator.serviceWorker.addEventListener('controllerchange', () => resolve(), {once: true})
      }),
      new Promise<void>((resolve) => window.setTimeout(resolve, CONTROL_MS)),
    ])
  }
  return ''
}

// Says whether a file is here already, so that loading it costs nothing.
export async function isKept(address: string): Promise<boolean> {
  if (!('caches' in window)) return false
  return Boolean(await caches.match(new URL(address, document.baseURI).href))
}
