import { reasonOf } from '../runtime/errors'
import { PersonalError } from './errors'

/** Where a page keeps states, each by the SHA-256 of its package's model. */
export interface StateStorage {
  /** Returns the state file of a package, null where there is none. */
  load(sha256: string): Promise<Uint8Array | null>
  /** Keeps a state file in place of one that may be there; a failure leaves the old one. */
  save(sha256: string, state: Uint8Array): Promise<void>
  /** Forgets the state of a package. */
  remove(sha256: string): Promise<void>
}

const DATABASE = 'personal-models'
const STORE = 'states'

/**
 * Opens the storage of this page in IndexedDB.
 *
 * @throws PersonalError the browser gives none, as in some private windows
 */
export async function openStorage(): Promise<StateStorage> {
  const database = await opened()
  const within = <T>(
    mode: IDBTransactionMode,
    what: string,
    act: (store: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T> =>
    new Promise((resolve, reject) => {
      const fail = (error: unknown): void => reject(refusal(what, error))
      try {
        // A write counts when it is on the disk, not only with the system.
        const transaction = database.transaction(STORE, mode, { durability: 'strict' })
        const request = act(transaction.objectStore(STORE))
        transaction.oncomplete = () => resolve(request.result)
        transaction.onabort = () => fail(transaction.error ?? request.error)
      } catch (error) {
        fail(error)
      }
    })
  return {
    load: async (sha256) => {
      const found: unknown = await within('readonly', 'read', (store) => store.get(sha256))
      return found instanceof Uint8Array ? found : null
    },
    save: async (sha256, state) => {
      await within('readwrite', 'kept', (store) => store.put(new Uint8Array(state), sha256))
    },
    remove: async (sha256) => {
      await within('readwrite', 'removed', (store) => store.delete(sha256))
    },
  }
}

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(refusal('kept', error))
    try {
      const request = indexedDB.open(DATABASE, 1)
      request.onupgradeneeded = () => request.result.createObjectStore(STORE)
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => fail(request.error)
    } catch (error) {
      fail(error)
    }
  })
}

function refusal(what: string, error: unknown): PersonalError {
  const isFull = error instanceof DOMException && error.name === 'QuotaExceededError'
  const reason = isFull
    ? 'the browser has no room left for this page; free some, or export the state as a file'
    : `the browser says: ${reasonOf(error ?? 'nothing')}; export it as a file to keep it`
  return new PersonalError(
    `what was trained cannot be ${what} here, and what was kept before is untouched: ${reason}`,
    { cause: error },
  )
}
