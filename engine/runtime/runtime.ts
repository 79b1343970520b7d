/** The runtime: what nodes ask for sessions. It keeps them open, within a budget, between prompts. */
import { NoodleError } from '../errors.ts';
import type { Program } from '../tensor/trace.ts';
import { defaultMemoryBudget, estimateMemory } from './memory.ts';
import { createPreparedWeights } from './prepared-weights.ts';
import { type Provider, providers } from './providers.ts';
import { type Session, type SessionInput, openSession } from './session.ts';
import { type Opening, createSessionCache } from './session-cache.ts';

export type { IdArray, Session, SessionInput } from './session.ts';

export interface RuntimeOptions {
  /** Bytes that open models may take together. */
  readonly memoryBudget?: number;
  /** Threads of one model call; left out: the physical cores. */
  readonly threads?: number;
  readonly provider?: Provider;
}

export interface Runtime {
  /**
   * The session of `key`, opened from `build()` when it is not open. The key names everything that
   * the program depends on: architecture, identity of the weights, hooks and their shapes. The
   * session stays usable after it was released for memory: its next run opens it again.
   */
  session(key: string, build: () => Program): Promise<Session>;
  /** Releases every open session. */
  unloadAll(): Promise<void>;
  stats(): RuntimeStats;
}

export interface RuntimeStats {
  readonly sessions: readonly { readonly key: string; readonly bytes: number }[];
  readonly bytes: number;
  readonly memoryBudget: number;
}

/** A runtime without sessions; nothing native is loaded before the first one opens. */
export function createRuntime(options: RuntimeOptions = {}): Runtime {
  const { memoryBudget = defaultMemoryBudget(), threads, provider = providers.cpu } = options;
  const cache = createSessionCache(memoryBudget);
  const prepared = createPreparedWeights();

  const opening = (build: () => Program): Opening => {
    const program = build();
    return {
      bytes: estimateMemory(program, provider.compute),
      open: () => openSession(program, { provider, threads, prepared }),
    };
  };
  /** After running out of memory everything idle is released and the call tried once more. */
  const withRetry = async <T>(attempt: () => Promise<T>): Promise<T> => {
    try {
      return await attempt();
    } catch (error) {
      const outOfMemory = error instanceof NoodleError && error.code === 'OUT_OF_MEMORY';
      if (!outOfMemory || (await cache.clear()) === 0) throw error;
      return attempt();
    }
  };
  return {
    session: async (key, build) => {
      let request: Opening | undefined;
      const lazily: Opening = {
        get bytes() {
          return (request ??= opening(build)).bytes;
        },
        open: () => (request ??= opening(build)).open(),
      };
      const use = <T>(action: (session: Session) => Promise<T>): Promise<T> =>
        withRetry(() => cache.use(key, lazily, action));
      await use(async () => undefined);
      return {
        run: (inputs: Readonly<Record<string, SessionInput>>, runOptions) =>
          use((session) => session.run(inputs, runOptions)),
        release: async () => undefined, // the runtime decides
      };
    },
    unloadAll: async () => {
      await cache.clear();
    },
    stats: () => {
      const sessions = cache.entries();
      const bytes = sessions.reduce((sum, entry) => sum + entry.bytes, 0);
      return { sessions, bytes, memoryBudget };
    },
  };
}
