/** The default cache: keeps results of earlier prompts as long as there is memory for them. */
import { freemem, totalmem } from 'node:os';
import type { CacheEntry, CacheRun, OutputCache } from './cache.ts';

const GB = 1024 ** 3;
const AGE_FACTOR = 1.3;
const LARGE = 512 * 1024 ** 2;

export interface RamCacheOptions {
  /** Bytes a value holds. */
  readonly sizeOf: (value: unknown) => number;
  /** Free memory below which everything may go; default a tenth of the RAM, 2 to 10 GB. */
  readonly activeHeadroom?: number;
  /** Free memory below which only the starting prompt's entries stay; default a quarter of the RAM. */
  readonly inactiveHeadroom?: number;
  /** Most bytes kept in all; default half of the RAM. */
  readonly maxBytes?: number;
  readonly freeMemory?: () => number;
}

interface Kept {
  readonly entry: CacheEntry;
  readonly bytes: number;
  usedIn: number;
}

/**
 * Evicts by bytes times 1.3 to the power of the age in prompts, largest first: entries the running
 * prompt does not use when memory is short, its own (those of 512 MB or more first) only when that
 * is not enough. A value that several entries pass on counts once.
 */
export function createRamCache(options: RamCacheOptions): OutputCache {
  const total = totalmem();
  const {
    activeHeadroom = Math.min(10 * GB, Math.max(2 * GB, total / 10)),
    inactiveHeadroom = Math.max(activeHeadroom, Math.min(128 * GB, total / 4)),
    maxBytes = total / 2,
    freeMemory = availableMemory,
  } = options;
  const entries = new Map<string, Kept>();
  const holders = new Map<object, number>();
  let run: CacheRun | undefined;
  let generation = 0;
  let bytes = 0;

  const remove = (key: string): number => {
    const kept = entries.get(key);
    if (kept === undefined) return 0;
    entries.delete(key);
    for (const value of objectsOf(kept.entry)) {
      const left = (holders.get(value) ?? 1) - 1;
      if (left === 0) holders.delete(value);
      else holders.set(value, left);
    }
    bytes -= kept.bytes;
    return kept.bytes;
  };

  const add = (key: string, entry: CacheEntry): void => {
    remove(key);
    let size = 0;
    for (const value of objectsOf(entry)) {
      const count = holders.get(value) ?? 0;
      if (count === 0) size += options.sizeOf(value);
      holders.set(value, count + 1);
    }
    entries.set(key, { entry, bytes: size, usedIn: generation });
    bytes += size;
  };

  /** Evicts entries that `may` go until `excess` bytes are gone; answers what is still too much. */
  const evict = (excess: number, may: (kept: Kept) => boolean): number => {
    if (excess <= 0) return 0;
    const score = ({ bytes, usedIn }: Kept): number => bytes * AGE_FACTOR ** (generation - usedIn);
    const candidates = [...entries]
      .filter(([, kept]) => kept.bytes > 0 && may(kept))
      .sort(([, a], [, b]) => score(b) - score(a));
    let left = excess;
    for (const [key] of candidates) {
      if (left <= 0) break;
      left -= remove(key);
    }
    return Math.max(0, left);
  };

  const isOld = (kept: Kept): boolean => kept.usedIn < generation;
  const excess = (headroom: number): number =>
    Math.max(bytes - maxBytes, bytes > 0 ? Math.min(bytes, headroom - freeMemory()) : 0);

  const touch = (id: string): CacheEntry | undefined => {
    const key = run?.keyOf(id);
    const kept = key === undefined ? undefined : entries.get(key);
    if (kept !== undefined) kept.usedIn = generation;
    return kept?.entry;
  };

  return {
    begin(next) {
      run = next;
      generation++;
      next.nodeIds.forEach(touch);
      evict(excess(inactiveHeadroom), isOld);
    },
    get: touch,
    set(id, entry) {
      const key = run?.keyOf(id);
      if (key === undefined) return;
      add(key, entry);
      if (entries.get(key)?.bytes === 0) return;
      const left = evict(excess(activeHeadroom), isOld);
      const afterLarge = evict(left, (kept) => kept.bytes >= LARGE);
      evict(afterLarge, () => true);
    },
    delete(id) {
      const key = run?.keyOf(id);
      if (key !== undefined) remove(key);
    },
    expand: (_parentId, nodeIds) => nodeIds.forEach(touch),
    clear() {
      entries.clear();
      holders.clear();
      bytes = 0;
    },
  };
}

function* objectsOf(entry: CacheEntry): Generator<object> {
  for (const list of entry.outputs) {
    for (const value of list) if (typeof value === 'object' && value !== null) yield value;
  }
}

/** What the process may still take (container limits included); Node before 20.13 knows less. */
function availableMemory(): number {
  return typeof process.availableMemory === 'function' ? process.availableMemory() : freemem();
}
