/** What lies in the vault: an id, and anything that is plain data. */
export interface VaultRecord {
  readonly id: string;
}

/**
 * A second place for drafts, in the browser's database: with room for many large ones, and on the
 * disk at once, where the first one (`localStorage`) may take seconds to get there.
 */
export interface Vault {
  /** Keeps a record in the place of the one with its id; `kept` is called when it is written. */
  put(record: VaultRecord, kept?: () => void): void;
  remove(id: string): void;
  /** Whatever lies there, to be read as foreign data. */
  all(): Promise<readonly unknown[]>;
}

/** A vault that keeps nothing: the browser has no database, or forbids it. */
export const noVault: Vault = {
  put: () => undefined,
  remove: () => undefined,
  all: () => Promise.resolve([]),
};

const storeName = 'drafts';

/** Opens the vault of this browser. What cannot be done is passed over: it is a second copy. */
export function openVault(factory: IDBFactory): Vault {
  const database = new Promise<IDBDatabase>((resolve, reject) => {
    const request = factory.open('noodle', 1);
    request.onupgradeneeded = () => request.result.createObjectStore(storeName, { keyPath: 'id' });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('no database'));
  });
  const store = async (mode: IDBTransactionMode): Promise<IDBObjectStore> =>
    (await database).transaction(storeName, mode).objectStore(storeName);
  const change = async (work: (drafts: IDBObjectStore) => void, done?: () => void) => {
    try {
      const drafts = await store('readwrite');
      drafts.transaction.oncomplete = () => done?.();
      work(drafts);
    } catch {
      // The first copy is the one that counts.
    }
  };

  return {
    put: (record, kept) => void change((records) => records.put(record), kept),
    remove: (id) => void change((records) => records.delete(id)),
    all: async () => {
      try {
        const records = await store('readonly');
        return await new Promise<unknown[]>((resolve, reject) => {
          const request = records.getAll();
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error ?? new Error('not read'));
        });
      } catch {
        return [];
      }
    },
  };
}
