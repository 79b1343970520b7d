/** The results a run works with: those in the cache, and those its pending nodes hold on to. */
import type { CacheEntry, OutputCache } from './cache.ts';

export interface RunStore {
  get(nodeId: string): CacheEntry | undefined;
  has(nodeId: string): boolean;
  set(nodeId: string, entry: CacheEntry): void;
  /** A pending node reads `nodeId`: its result stays until `release` was called as often. */
  use(nodeId: string): void;
  release(nodeId: string): void;
}

/**
 * Pins what pending nodes read, so that a cache may drop entries (or keep none at all) at any time
 * without starving the run. A result dropped before an expansion asks for it is computed again.
 */
export function createRunStore(cache: OutputCache): RunStore {
  const users = new Map<string, number>();
  const pinned = new Map<string, CacheEntry>();

  const get = (id: string): CacheEntry | undefined => {
    const held = pinned.get(id);
    if (held !== undefined) return held;
    const cached = cache.get(id);
    if (cached !== undefined && users.has(id)) pinned.set(id, cached);
    return cached;
  };

  return {
    get,
    has: (id) => get(id) !== undefined,
    set(id, entry) {
      cache.set(id, entry);
      if (users.has(id)) pinned.set(id, entry);
    },
    use(id) {
      users.set(id, (users.get(id) ?? 0) + 1);
      get(id);
    },
    release(id) {
      const left = (users.get(id) ?? 0) - 1;
      if (left > 0) {
        users.set(id, left);
      } else {
        users.delete(id);
        pinned.delete(id);
      }
    },
  };
}
