/** All that survives between prompts in one engine: node outputs and node state. */
import { createClassicCache } from './cache-classic.ts';
import { createLruCache } from './cache-lru.ts';
import { createNullCache } from './cache.ts';
import type { OutputCache } from './cache.ts';
import { createRamCache } from './cache-ram.ts';
import type { RamCacheOptions } from './cache-ram.ts';
import type { Prompt } from './definition.ts';

/** ComfyUI's --cache-… options. */
export type CacheMode =
  | { readonly kind: 'ram'; readonly activeHeadroom?: number; readonly inactiveHeadroom?: number }
  | { readonly kind: 'classic' }
  | { readonly kind: 'lru'; readonly size: number }
  | { readonly kind: 'none' };

export interface CacheSet {
  readonly outputs: OutputCache;
  readonly states: NodeStates;
  /** `/free` with free_memory: forgets everything. */
  clear(): void;
}

/** State that nodes keep while a node of their id and class is in consecutive prompts. */
export interface NodeStates {
  begin(prompt: Prompt): void;
  /** `realId`: the original node that `nodeId` belongs to. */
  of(nodeId: string, classType: string, realId: string): Map<string, unknown>;
  clear(): void;
}

/** Empty caches of the given mode. */
export function createCaches(
  mode: CacheMode,
  options: Pick<RamCacheOptions, 'sizeOf' | 'freeMemory' | 'maxBytes'>,
): CacheSet {
  const outputs = createOutputCache(mode, options);
  const states = createNodeStates({ keep: mode.kind !== 'none' });
  return {
    outputs,
    states,
    clear() {
      outputs.clear();
      states.clear();
    },
  };
}

function createOutputCache(mode: CacheMode, options: RamCacheOptions): OutputCache {
  switch (mode.kind) {
    case 'ram':
      return createRamCache({ ...options, ...mode });
    case 'classic':
      return createClassicCache();
    case 'lru':
      return createLruCache(mode.size);
    case 'none':
      return createNullCache();
  }
}

function createNodeStates({ keep }: { readonly keep: boolean }): NodeStates {
  const states = new Map<string, { root: string; state: Map<string, unknown> }>();
  const identity = (id: string, classType: string): string => `${classType}\0${id}`;
  let prompt: Prompt = {};
  return {
    begin(next) {
      prompt = next;
      const roots = new Set(
        Object.entries(next).map(([id, node]) => identity(id, node.class_type)),
      );
      for (const [key, { root }] of states) if (!keep || !roots.has(root)) states.delete(key);
    },
    of(nodeId, classType, realId) {
      const key = identity(nodeId, classType);
      const found = states.get(key)?.state;
      if (found !== undefined) return found;
      const state = new Map<string, unknown>();
      states.set(key, { root: identity(realId, prompt[realId].class_type), state });
      return state;
    },
    clear: () => states.clear(),
  };
}
