import { describe, expect, it } from 'vitest';
import { createClassicCache } from '../../../engine/graph/cache-classic.ts';
import { createLruCache } from '../../../engine/graph/cache-lru.ts';
import { createRamCache } from '../../../engine/graph/cache-ram.ts';
import { createNullCache } from '../../../engine/graph/cache.ts';
import type { CacheEntry, CacheRun, OutputCache } from '../../../engine/graph/cache.ts';
import { createRunStore } from '../../../engine/graph/run-store.ts';

/** A prompt whose nodes are `id: key`; more nodes may be added later. */
function prompt(keys: Record<string, string>): CacheRun & { keys: Record<string, string> } {
  return { keys, nodeIds: Object.keys(keys), keyOf: (id) => keys[id], classOf: () => 'C' };
}

const entry = (...values: unknown[]): CacheEntry => ({ outputs: [values] });

const MB = 1024 ** 2;
const sized = (bytes: number) => entry({ bytes });
const sizeOf = (value: unknown): number => (value as { bytes: number }).bytes;
const ram = (options: { maxBytes?: number; free?: () => number; headroom?: number }): OutputCache =>
  createRamCache({
    sizeOf,
    maxBytes: options.maxBytes ?? Infinity,
    activeHeadroom: options.headroom ?? 0,
    inactiveHeadroom: options.headroom ?? 0,
    freeMemory: options.free ?? (() => Infinity),
  });

describe.each<[string, () => OutputCache]>([
  ['classic', createClassicCache],
  ['lru', () => createLruCache(10)],
  ['ram', () => ram({})],
])('the %s cache', (_name, create) => {
  it('shares results by key, not by id', () => {
    const cache = create();
    cache.begin(prompt({ a: 'x', b: 'x', c: 'y' }));
    const value = sized(1);
    cache.set('a', value);
    expect(cache.get('b')).toBe(value);
    expect(cache.get('c')).toBeUndefined();
    cache.begin(prompt({ other: 'x' }));
    expect(cache.get('other')).toBe(value);
    cache.clear();
    expect(cache.get('other')).toBeUndefined();
  });
});

describe('the classic cache', () => {
  it('forgets what the new prompt does not hold', () => {
    const cache = createClassicCache();
    cache.begin(prompt({ a: 'x', b: 'y' }));
    cache.set('a', entry(1));
    cache.set('b', entry(2));
    cache.begin(prompt({ a: 'x' }));
    cache.begin(prompt({ a: 'x', b: 'y' }));
    expect(cache.get('a')).toBeDefined();
    expect(cache.get('b')).toBeUndefined();
  });

  it('keeps expansions apart, and as long as their parent stays', () => {
    const cache = createClassicCache();
    const run = prompt({ p: 'x', c: 'child' });
    const first = { ...run, nodeIds: ['p'] };
    cache.begin(first);
    cache.expand('p', ['c']);
    cache.set('c', entry(1));
    const second = { ...run, nodeIds: ['p'] };
    cache.begin(second);
    expect(cache.get('c')).toBeUndefined(); // not an original node of that key
    cache.expand('p', ['c']);
    expect(cache.get('c')).toBeDefined();
    cache.begin(prompt({ q: 'x' }));
    cache.begin(second);
    cache.expand('p', ['c']);
    expect(cache.get('c')).toBeUndefined();
  });
});

describe('the LRU cache', () => {
  it('drops the oldest generations, but nothing of the starting prompt', () => {
    const cache = createLruCache(2);
    cache.begin(prompt({ a: 'a', b: 'b' }));
    cache.set('a', entry(1));
    cache.set('b', entry(2));
    cache.begin(prompt({ a: 'a', c: 'c' }));
    cache.set('c', entry(3));
    cache.begin(prompt({ a: 'a', b: 'b', c: 'c' }));
    expect(['a', 'b', 'c'].map((id) => cache.get(id) !== undefined)).toEqual([true, true, true]);
    cache.begin(prompt({ d: 'd' }));
    cache.begin(prompt({ a: 'a', d: 'd' }));
    expect(cache.get('a')).toBeUndefined();
  });
});

describe('the RAM cache', () => {
  it('stays below its limit, old and large entries first', () => {
    const cache = ram({ maxBytes: 100 });
    cache.begin(prompt({ old: 'old', big: 'big' }));
    cache.set('old', sized(30));
    cache.set('big', sized(50));
    cache.begin(prompt({ now: 'now' }));
    cache.set('now', sized(40));
    cache.begin(prompt({ old: 'old', big: 'big', now: 'now' }));
    expect(['old', 'big', 'now'].map((id) => cache.get(id) !== undefined)).toEqual([
      true,
      false,
      true,
    ]);
  });

  it('counts a value that several nodes pass on once', () => {
    const cache = ram({ maxBytes: 100 });
    const shared = sized(90);
    cache.begin(prompt({ a: 'a', b: 'b' }));
    cache.set('a', shared);
    cache.set('b', shared);
    expect([cache.get('a'), cache.get('b')]).toEqual([shared, shared]);
  });

  it('gives way when memory is short: old entries, then large ones of the running prompt', () => {
    let free = Infinity;
    const cache = ram({ free: () => free, headroom: 1000 * MB });
    cache.begin(prompt({ old: 'old' }));
    cache.set('old', sized(300 * MB));
    const now = prompt({ small: 'small', large: 'large', last: 'last' });
    cache.begin(now);
    cache.set('small', sized(100 * MB));
    cache.set('large', sized(600 * MB));
    free = 200 * MB;
    cache.set('last', sized(1 * MB));
    expect(['small', 'large', 'last'].map((id) => cache.get(id) !== undefined)).toEqual([
      true,
      false,
      true,
    ]);
    cache.begin(prompt({ old: 'old' }));
    expect(cache.get('old')).toBeUndefined();
  });
});

describe('the store of a run', () => {
  it('holds what pending nodes use although the cache keeps nothing', () => {
    const store = createRunStore(createNullCache());
    store.use('a');
    store.use('a');
    store.set('a', entry(1));
    store.set('b', entry(2));
    expect([store.has('a'), store.has('b')]).toEqual([true, false]);
    store.release('a');
    expect(store.has('a')).toBe(true);
    store.release('a');
    expect(store.has('a')).toBe(false);
  });

  it('holds a cached result while it is used, evicted or not', () => {
    const cache = ram({ maxBytes: 10 });
    cache.begin(prompt({ a: 'a', b: 'b' }));
    const store = createRunStore(cache);
    store.set('a', sized(8));
    store.use('a');
    store.set('b', sized(6));
    expect(cache.get('a')).toBeUndefined();
    expect(store.has('a')).toBe(true);
  });
});

describe.each<[string, () => OutputCache]>([
  ['classic', createClassicCache],
  ['lru', () => createLruCache(10)],
  ['ram', () => ram({})],
])('the %s cache', (_name, create) => {
  it('forgets one entry', () => {
    const cache = create();
    cache.begin(prompt({ a: 'x', b: 'y' }));
    cache.set('a', sized(1));
    cache.set('b', sized(1));
    cache.delete('a');
    expect(cache.get('a')).toBeUndefined();
    expect(cache.get('b')).toBeDefined();
  });
});
