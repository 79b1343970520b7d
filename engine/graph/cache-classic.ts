/** ComfyUI's classic cache: keeps exactly what the newest prompt could use. */
import type { CacheEntry, CacheRun, OutputCache } from './cache.ts';

/** Entries of the prompt itself, or of the nodes that one node expanded into. */
interface Scope {
  readonly entries: Map<string, CacheEntry>;
  /** `id` + class of an expanding node -> its own scope. */
  readonly inner: Map<string, Scope>;
}

const newScope = (): Scope => ({ entries: new Map(), inner: new Map() });

/** Drops at each prompt's start every entry whose key is not in it. */
export function createClassicCache(): OutputCache {
  const root = newScope();
  let run: CacheRun | undefined;
  let scopes = new Map<string, Scope>();

  const scopeOf = (id: string): Scope => scopes.get(id) ?? root;
  const scopeKey = (id: string): string => `${run?.classOf(id)}\0${id}`;

  const keepOnly = (scope: Scope, nodeIds: readonly string[]): void => {
    const keys = new Set(nodeIds.map((id) => run?.keyOf(id)));
    for (const key of scope.entries.keys()) if (!keys.has(key)) scope.entries.delete(key);
    if (scope.inner.size === 0) return;
    const owners = new Set(nodeIds.map(scopeKey));
    for (const owner of scope.inner.keys()) if (!owners.has(owner)) scope.inner.delete(owner);
  };

  return {
    begin(next) {
      run = next;
      scopes = new Map();
      keepOnly(root, next.nodeIds);
    },
    get(id) {
      const key = run?.keyOf(id);
      return key === undefined ? undefined : scopeOf(id).entries.get(key);
    },
    set(id, entry) {
      const key = run?.keyOf(id);
      if (key !== undefined) scopeOf(id).entries.set(key, entry);
    },
    delete(id) {
      const key = run?.keyOf(id);
      if (key !== undefined) scopeOf(id).entries.delete(key);
    },
    expand(parentId, nodeIds) {
      const outer = scopeOf(parentId);
      const scope = outer.inner.get(scopeKey(parentId)) ?? newScope();
      outer.inner.set(scopeKey(parentId), scope);
      keepOnly(scope, nodeIds);
      for (const id of nodeIds) scopes.set(id, scope);
    },
    clear() {
      root.entries.clear();
      root.inner.clear();
    },
  };
}
