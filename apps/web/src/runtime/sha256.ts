import { RuntimeError } from './errors'

/**
 * Returns the SHA-256 of bytes, as 64 small hexadecimal digits.
 *
 * @throws RuntimeError (`unavailable`) where the browser gives pages like this one none
 */
export async function sha256Of(bytes: Uint8Array): Promise<string> {
  if (!globalThis.crypto?.subtle) {
    throw new RuntimeError(
      'unavailable',
      'files cannot be checked, as browsers give SHA-256 to secure pages alone; open this page ' +
        'by https, or at http://127.0.0.1',
    )
  }
  // A copy where the memory is shared, of which no digest is taken.
  const digest = await crypto.subtle.digest('SHA-256', new Uint8Array(bytes))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
