/** Where LiteRT.js's WASM comes from: a page's own server, or a folder in Node. */
export interface WasmSource {
  /** Returns what a file of the folder `wasm` of `@litertjs/core` is loaded by. */
  locate(file: string): string
  /** Runs something where scripts that are located so can be run. */
  within<T>(load: () => Promise<T>): Promise<T>
}

/**
 * The files of the folder `wasm`, served below an address.
 *
 * @param base of the folder, absolute or relative to the page; no other address is asked
 */
export function pageSource(base: string | URL): WasmSource {
  const folder = new URL(String(base).replace(/\/?$/, '/'), document.baseURI)
  return { locate: (file) => new URL(file, folder).href, within: (load) => load() }
}
