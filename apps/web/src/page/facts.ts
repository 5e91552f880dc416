// What the site was laid out with; see apps/web/layout.py.

export interface Facts {
  readonly version: string
  readonly wasm: string // folders, which end in a slash
  readonly device: string
  readonly personal: string | null
  readonly noPersonal: string // a sentence; '' where there is a personal package
  readonly bytes: Readonly<Record<string, number>> // what a file takes over the wire by gzip
}

export function readFacts(): Facts {
  const facts = document.querySelector<HTMLMetaElement>('meta[name=facts]')
  return JSON.parse(facts?.content ?? '') as Facts
}

// Fetches a file of the site; `what` names it in the sentence where that fails.
export async function fetched(address: string, what: string): Promise<Uint8Array> {
  let response: Response
  try {
    response = await fetch(address)
  } catch {
    throw new Error(`${what} could not be loaded; check the network, then try again`)
  }
  if (!response.ok) {
    throw new Error(
      `${what} could not be loaded (status ${response.status}); reload the page, it may be newer`,
    )
  }
  return new Uint8Array(await response.arrayBuffer())
}
