/** What is kept of finished nodes between prompts: the interface all cache modes share. */

/** What a finished node left. */
export interface CacheEntry {
  /** One list of values per output. */
  readonly outputs: readonly (readonly unknown[])[];
  /** What the client was shown. */
  readonly ui?: Readonly<Record<string, readonly unknown[]>>;
}

/** One run as caches see it. */
export interface CacheRun {
  /** Nodes of the original prompt. */
  readonly nodeIds: readonly string[];
  keyOf(nodeId: string): string | undefined;
  classOf(nodeId: string): string;
}

export interface OutputCache {
  /** A prompt starts: its keys are known; what is not worth keeping may go. */
  begin(run: CacheRun): void;
  get(nodeId: string): CacheEntry | undefined;
  set(nodeId: string, entry: CacheEntry): void;
  /** Forgets the entry of a node: what it stood for is not there any more. */
  delete(nodeId: string): void;
  /** `parentId` expanded into these nodes; their keys are known. */
  expand(parentId: string, nodeIds: readonly string[]): void;
  clear(): void;
}

/** A cache that keeps nothing: values live only while pending nodes of the run use them. */
export function createNullCache(): OutputCache {
  return {
    begin: () => undefined,
    get: () => undefined,
    set: () => undefined,
    delete: () => undefined,
    expand: () => undefined,
    clear: () => undefined,
  };
}
