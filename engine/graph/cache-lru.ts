/** ComfyUI's LRU cache: entries of earlier prompts stay until there are too many. */
import type { CacheEntry, CacheRun, OutputCache } from './cache.ts';

/**
 * Keeps about `maxSize` entries. Age counts in prompts, and only a prompt's start trims: whole
 * generations go, oldest first, never what the starting prompt can use.
 */
export function createLruCache(maxSize: number): OutputCache {
  const entries = new Map<string, { entry: CacheEntry; usedIn: number }>();
  let run: CacheRun | undefined;
  let generation = 0;
  let oldestKept = 0;

  const touch = (id: string): CacheEntry | undefined => {
    const key = run?.keyOf(id);
    const found = key === undefined ? undefined : entries.get(key);
    if (found !== undefined) found.usedIn = generation;
    return found?.entry;
  };

  return {
    begin(next) {
      run = next;
      generation++;
      next.nodeIds.forEach(touch);
      while (entries.size > maxSize && oldestKept < generation) {
        oldestKept++;
        for (const [key, { usedIn }] of entries) if (usedIn < oldestKept) entries.delete(key);
      }
    },
    get: touch,
    set(id, entry) {
      const key = run?.keyOf(id);
      if (key !== undefined) entries.set(key, { entry, usedIn: generation });
    },
    delete(id) {
      const key = run?.keyOf(id);
      if (key !== undefined) entries.delete(key);
    },
    expand: (_parentId, nodeIds) => nodeIds.forEach(touch),
    clear: () => entries.clear(),
  };
}
