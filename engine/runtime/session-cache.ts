/**
 * Open sessions under a memory budget, the least recently used released first. A session that is
 * running is only released when its run has ended.
 */
import { LRUCache } from 'lru-cache';
import type { Session } from './session.ts';

interface Slot {
  readonly session: Session;
  readonly bytes: number;
  running: number;
  evicted: boolean;
}

export interface SessionCache {
  /** Opens the session of `key` when it is not there. */
  open(key: string, request: () => Opening): Promise<void>;
  /** Runs `action` on the session of `key`, opened when it is not there. */
  use<T>(key: string, request: () => Opening, action: (session: Session) => Promise<T>): Promise<T>;
  /** Releases every session that is not running; gives their number. */
  clear(): Promise<number>;
  entries(): { key: string; bytes: number }[];
}

export interface Opening {
  /** Memory that the session is expected to take. */
  readonly bytes: number;
  readonly open: () => Promise<Session>;
}

/** An empty cache that keeps sessions of `budget` bytes together (one may always be open). */
export function createSessionCache(budget: number): SessionCache {
  const released: Promise<void>[] = [];
  const cache = new LRUCache<string, Slot>({
    maxSize: budget,
    sizeCalculation: ({ bytes }) => Math.min(Math.max(bytes, 1), budget),
    dispose: (slot) => {
      slot.evicted = true;
      releaseWhenIdle(slot);
    },
  });
  const opening = new Map<string, Promise<Slot>>();

  const releaseWhenIdle = (slot: Slot): void => {
    if (slot.running === 0) released.push(slot.session.release());
  };
  const settleReleases = async (): Promise<void> => {
    await Promise.all(released.splice(0));
  };
  const openSlot = async (key: string, request: () => Opening): Promise<Slot> => {
    const { bytes, open } = request();
    // room is made before the memory is taken
    while (cache.size > 0 && cache.calculatedSize + bytes > budget) cache.pop();
    await settleReleases();
    const slot: Slot = { session: await open(), bytes, running: 0, evicted: false };
    cache.set(key, slot);
    return slot;
  };

  const slotOf = async (key: string, request: () => Opening): Promise<Slot> => {
    const open = cache.get(key);
    if (open) return open;
    let pending = opening.get(key);
    if (!pending) {
      pending = openSlot(key, request).finally(() => opening.delete(key));
      opening.set(key, pending);
    }
    return pending;
  };

  return {
    open: async (key, request) => {
      await slotOf(key, request);
    },
    use: async (key, request, action) => {
      let slot = await slotOf(key, request);
      while (slot.evicted) slot = await slotOf(key, request); // released for another meanwhile
      slot.running++;
      try {
        return await action(slot.session);
      } finally {
        slot.running--;
        if (slot.evicted) releaseWhenIdle(slot);
        await settleReleases();
      }
    },
    clear: async () => {
      const count = cache.size;
      cache.clear();
      await settleReleases();
      return count;
    },
    entries: () => [...cache.entries()].map(([key, { bytes }]) => ({ key, bytes })),
  };
}
