/** The runtime: what nodes ask for sessions. It keeps them open, within a budget, between prompts. */
import type { NDArray } from '../array/nd.ts';
import { NoodleError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Program } from '../tensor/trace.ts';
import { createFitting } from './fitting.ts';
import { defaultMemoryBudget, estimateMemory, workingMemory } from './memory.ts';
import { createPreparedWeights } from './prepared-weights.ts';
import type { Needs } from './precision.ts';
import { type PrecisionRow, type Provider, providers } from './providers.ts';
import { type RunInputs, type Session, type SessionOutput, openFeeder } from './session.ts';
import { type Opening, type SessionCache, createSessionCache } from './session-cache.ts';
import { tooLarge } from './too-large.ts';

export type { DeviceArray, IdArray, Session, SessionInput, SessionOutput } from './session.ts';

export interface RuntimeOptions {
  /**
   * Bytes that open models and their runs may take together; a larger model runs in parts. Where some are
   * computed on a device and others on the processor: in either memory.
   */
  readonly memoryBudget?: number;
  /** Threads of one model call; left out: the physical cores. */
  readonly threads?: number;
  readonly provider?: Provider;
  /** How a network is computed that says this of itself; left out: all by `provider`. */
  readonly rowFor?: (needs: Needs) => PrecisionRow;
  /** Hears of weights that a program did not ask for, once each, and of what is done for memory. */
  readonly log?: Log;
}

/** A model that the runtime has open, or opens again when it is run. */
export type OpenModel<Output extends SessionOutput = NDArray> = Pick<Session<Output>, 'run'>;

/** See `Runtime.session`. */
export type Open<Output extends SessionOutput> = (
  key: string,
  build: () => Program,
  needs?: Needs,
) => Promise<OpenModel<Output>>;

export interface Runtime {
  /**
   * The model of `key`, opened from `build()` when it is not open. The key names everything that
   * the program depends on: architecture, identity of the weights, patches, their shapes, and needs.
   * It stays usable after it was released for memory: its next run opens it again.
   */
  readonly session: Open<NDArray>;
  /**
   * The same for a model that only feeds others on its device: where it can, its results stay there. Whoever
   * has them releases them.
   */
  readonly feeder: Open<SessionOutput>;
  /** `workingMemory` of a program as it would be computed here. */
  readonly working: (program: Program, needs?: Needs) => ReturnType<typeof workingMemory>;
  /** Releases every open session. */
  unloadAll(): Promise<void>;
  stats(): RuntimeStats;
  /** Whether the device was lost: it opens anew, but who can had better begin in another process. */
  readonly lostDevice: () => boolean;
  /** Hears what is done otherwise for want of memory. */
  readonly log?: Log;
}

export interface RuntimeStats {
  /** The open models; `name` is the program's. */
  readonly sessions: readonly {
    readonly key: string;
    readonly name?: string;
    readonly bytes: number;
    /** Bytes that each of its runs reads anew. */
    readonly streamed: number;
  }[];
  readonly bytes: number;
  readonly memoryBudget: number;
}

/** A runtime without sessions; nothing native is loaded before the first one opens. */
export function createRuntime(options: RuntimeOptions = {}): Runtime {
  const { memoryBudget = defaultMemoryBudget(), threads, provider = providers.cpu, log } = options;
  const { rowFor = (): PrecisionRow => ({ provider }) } = options;
  const caches = {
    host: createSessionCache(memoryBudget),
    device: createSessionCache(memoryBudget),
  };
  const prepared = createPreparedWeights();
  const fitting = createFitting({ memoryBudget, threads, prepared, log });

  const told = new Set<string>();
  const tellOnce = (level: 'DEBUG' | 'INFO', text: string): void => {
    if (!told.has(text)) log?.(level, text);
    told.add(text);
  };

  /** A key under a wrong name is missing here and unread there: this is where the second half shows. */
  const tellUnread = ({ name, usage: { label, unused } }: Program): void => {
    const text = `${label}: ${name} leaves ${unused.length} tensors unread: ${shortList(unused)}`;
    if (unused.length > 0) tellOnce('DEBUG', text);
  };
  const opening = (program: Program, provider: Provider): Opening<NDArray> => {
    tellUnread(program);
    const { name } = program;
    return { ...fitting(program, provider), name, working: workingMemory(program, provider) };
  };
  /** A model in parts hands its results out. */
  const openingFeeder = (program: Program, provider: Provider): Opening => {
    const plain = opening(program, provider);
    const whole = estimateMemory(program, provider) <= memoryBudget;
    return provider.keepsResults === true && whole
      ? { ...plain, open: () => openFeeder(program, { provider, threads, prepared }) }
      : plain;
  };
  let lost = false;
  /**
   * After running out of memory everything idle is released and the call tried once more. What was open
   * on a device that is lost is of no use any more.
   */
  const withRetry = async <T>(cache: SessionCache, attempt: () => Promise<T>): Promise<T> => {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof NoodleError)) throw error;
      lost ||= error.code === 'DEVICE_LOST';
      // a file that could not be written is one of prepared weights, which lie in memory or take the last of the disk
      const isFull = error.code === 'OUT_OF_MEMORY' || error.code === 'FILE_WRITE';
      const released = isFull || error.code === 'DEVICE_LOST' ? await cache.clear() : 0;
      if (!isFull || released === 0) throw error;
      return attempt();
    }
  };
  const model = async <Output extends SessionOutput>(
    key: string,
    { provider, notice }: PrecisionRow,
    request: (provider: Provider) => Opening<Output>,
  ): Promise<OpenModel<Output>> => {
    if (notice !== undefined) tellOnce('INFO', notice);
    const { memory } = provider;
    const cache = caches[memory];
    let known: Opening<Output> | undefined;
    const lazily = (): Opening<Output> => (known ??= request(provider));
    /** Tries, and says how much was wanted when memory is not enough for it. */
    const attempt = async <T>(action: () => Promise<T>, inputs?: RunInputs): Promise<T> => {
      try {
        return await withRetry(cache, action);
      } catch (error) {
        if (!(error instanceof NoodleError) || error.code !== 'OUT_OF_MEMORY') throw error;
        const { bytes: weights, working } = lazily();
        const run = inputs && working?.(inputs);
        throw tooLarge(error as NoodleError, { weights, run, budget: memoryBudget, memory });
      }
    };
    await attempt(() => cache.open(key, lazily));
    return {
      run: (inputs, runOptions) =>
        attempt(
          () => cache.use(key, lazily, (session) => session.run(inputs, runOptions), inputs),
          inputs,
        ),
    };
  };
  return {
    log,
    session: async (key, build, needs = {}) =>
      model(key, rowFor(needs), (provider) => opening(build(), provider)),
    feeder: async (key, build, needs = {}) =>
      model(`feeder ${key}`, rowFor(needs), (provider) => openingFeeder(build(), provider)),
    working: (program, needs = {}) => workingMemory(program, rowFor(needs).provider),
    unloadAll: async () => {
      await Promise.all(Object.values(caches).map((cache) => cache.clear()));
    },
    lostDevice: () => lost,
    stats: () => {
      const sessions = Object.values(caches).flatMap((cache) => cache.entries());
      const bytes = sessions.reduce((sum, entry) => sum + entry.bytes, 0);
      return { sessions, bytes, memoryBudget };
    },
  };
}

/** The first few of a list, as text. */
const shortList = (items: readonly string[]): string =>
  items.slice(0, 10).join(', ') + (items.length > 10 ? ', …' : '');
