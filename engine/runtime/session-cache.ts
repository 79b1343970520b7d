/**
 * Open sessions under a memory budget, the least recently used released first. A session that is
 * running is only released when its run has ended.
 */
import { LRUCache } from 'lru-cache';
import type { RunInputs, Session, SessionOutput } from './session.ts';

interface Slot extends Pick<Opening, 'name' | 'bytes' | 'streamed' | 'working'> {
  readonly session: Session<SessionOutput>;
  running: number;
  evicted: boolean;
}

export interface SessionCache {
  /** Opens the session of `key` when it is not there. */
  open(key: string, request: () => Opening): Promise<void>;
  /**
   * Runs `action`, which gives these inputs to the session of `key`; it is opened when it is not there,
   * and idle ones are released where its run would not fit beside them.
   */
  use<T, Output extends SessionOutput>(
    key: string,
    request: () => Opening<Output>,
    action: (session: Session<Output>) => Promise<T>,
    inputs?: RunInputs,
  ): Promise<T>;
  /** Releases every session that is not running; gives their number. */
  clear(): Promise<number>;
  entries(): { key: string; name?: string; bytes: number; streamed: number }[];
}

export interface Opening<Output extends SessionOutput = SessionOutput> {
  /** What it is, for people. */
  readonly name?: string;
  /** Memory that the session is expected to take. */
  readonly bytes: number;
  /** Bytes that each run reads anew; left out: none. */
  readonly streamed?: number;
  /** Memory that a run takes beyond that; left out: none. */
  readonly working?: (inputs: RunInputs) => number;
  readonly open: () => Promise<Session<Output>>;
}

/** An empty cache that keeps sessions of `bytes` together (one may always be open, however few they are). */
export function createSessionCache(bytes: number): SessionCache {
  // the cache counts in whole numbers from 1
  const budget = Math.min(Math.max(Math.floor(bytes), 1), Number.MAX_SAFE_INTEGER);
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
  /** Bytes that the runs of this moment take beyond their sessions. */
  let working = 0;
  /** Bytes of sessions that are being opened. */
  let awaited = 0;
  let runs = 0;
  const onRunEnd: (() => void)[] = [];
  const nextRunEnd = (): Promise<void> => new Promise((resolve) => void onRunEnd.push(resolve));

  const releaseWhenIdle = (slot: Slot): void => {
    if (slot.running === 0) released.push(slot.session.release());
  };
  const settleReleases = async (): Promise<void> => {
    await Promise.all(released.splice(0));
  };
  const isRoom = (): boolean => cache.calculatedSize + awaited + working <= budget;

  /** Releases idle sessions but `kept`, the least recently used first, until all that is asked for now fits. */
  const makeRoom = async (kept?: Slot): Promise<void> => {
    for (const key of [...cache.rkeys()]) {
      if (isRoom()) break;
      const other = cache.peek(key)!;
      if (other !== kept && other.running === 0) cache.delete(key);
    }
    await settleReleases();
  };
  const openSlot = async (key: string, request: () => Opening): Promise<Slot> => {
    const { name, bytes, streamed, working, open } = request();
    awaited += bytes;
    try {
      // Room is made before the memory is taken; what runs holds its own until it has ended.
      await makeRoom();
      while (!isRoom() && runs > 0) {
        await nextRunEnd();
        await makeRoom();
      }
      const session = await open();
      const slot: Slot = { name, session, bytes, streamed, working, running: 0, evicted: false };
      cache.set(key, slot);
      return slot;
    } finally {
      awaited -= bytes;
    }
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
    use: async <T, Output extends SessionOutput>(
      key: string,
      request: () => Opening<Output>,
      action: (session: Session<Output>) => Promise<T>,
      inputs: RunInputs = {},
    ) => {
      let slot = await slotOf(key, request);
      while (slot.evicted) slot = await slotOf(key, request); // released for another meanwhile
      const bytes = slot.working?.(inputs) ?? 0;
      slot.running++;
      runs++;
      working += bytes; // before room is made: another run may begin while this one waits for it
      try {
        await makeRoom(slot);
        // what a key names is always opened in the same way
        return await action(slot.session as Session<Output>);
      } finally {
        working -= bytes;
        slot.running--;
        runs--;
        onRunEnd.splice(0).forEach((tell) => tell());
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
    entries: () =>
      [...cache.entries()].map(([key, { name, bytes, streamed = 0 }]) => ({
        key,
        name,
        bytes,
        streamed,
      })),
  };
}
