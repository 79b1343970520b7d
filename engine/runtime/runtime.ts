/** The runtime: what nodes ask for sessions. It keeps them open, within a budget, between prompts. */
import { NoodleError } from '../errors.ts';
import type { Log } from '../log.ts';
import { winogradLayers } from '../onnx/winograd.ts';
import type { Program } from '../tensor/trace.ts';
import { defaultMemoryBudget, estimateMemory, weightBytes, workingMemory } from './memory.ts';
import { type Part, partsOf, planParts, sessionOfParts } from './parts.ts';
import { createPreparedWeights } from './prepared-weights.ts';
import type { Needs } from './precision.ts';
import { type PrecisionRow, type Provider, providers } from './providers.ts';
import { type Session, openSession } from './session.ts';
import { type Opening, createSessionCache } from './session-cache.ts';

export type { IdArray, Session, SessionInput } from './session.ts';

export interface RuntimeOptions {
  /** Bytes that open models and their runs may take together; a larger model runs in parts. */
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
export type OpenModel = Pick<Session, 'run'>;

export interface Runtime {
  /**
   * The model of `key`, opened from `build()` when it is not open. The key names everything that
   * the program depends on: architecture, identity of the weights, patches, their shapes, and needs.
   * It stays usable after it was released for memory: its next run opens it again.
   */
  session(key: string, build: () => Program, needs?: Needs): Promise<OpenModel>;
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
  }[];
  readonly bytes: number;
  readonly memoryBudget: number;
}

/**
 * Weights that stay narrow where they are stored, mapped, and are widened whenever they are read. ONNX
 * Runtime would do that once, when it opens the model, and keep the result.
 */
const narrow = (provider: Provider): Provider => ({
  ...provider,
  widen: 'graph',
  session: {
    ...provider.session,
    config: {
      ...provider.session.config,
      'optimization.disable_specified_optimizers': 'ConstantFolding',
    },
  },
});

/** Share of the budget that one part of a larger model should take. */
const partShare = 0.25;

/** A runtime without sessions; nothing native is loaded before the first one opens. */
export function createRuntime(options: RuntimeOptions = {}): Runtime {
  const { memoryBudget = defaultMemoryBudget(), threads, provider = providers.cpu, log } = options;
  const { rowFor = (): PrecisionRow => ({ provider }) } = options;
  const cache = createSessionCache(memoryBudget);
  const prepared = createPreparedWeights();

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
  const opening = (program: Program, needs: Needs): Opening => {
    tellUnread(program);
    const row = rowFor(needs);
    if (row.notice !== undefined) tellOnce('INFO', row.notice);
    const { name } = program;
    return { ...openingIn(program, row.provider), name, working: workingMemory(program) };
  };
  /** The program in the form that fits: widened where it is small, kept narrow, or in parts. */
  const openingIn = (program: Program, provider: Provider): Opening => {
    const part = (of: Program, form: Provider): Part => {
      const plain = estimateMemory(of, form);
      const spare = Math.min(form.winogradBytes(plain), memoryBudget - plain);
      const { layers, bytes } = winogradLayers(of, spare, (weight) => weightBytes(weight, form));
      const open = { provider: form, threads, prepared, winograd: layers };
      return { program: of, bytes: plain + bytes, open: () => openSession(of, open) };
    };
    const wide = estimateMemory(program, provider);
    if (wide <= Math.min(memoryBudget, provider.widestBytes)) return part(program, provider);
    const form = narrow(provider);
    const kept = part(program, form);
    if (kept.bytes <= memoryBudget) {
      if (wide > memoryBudget)
        log?.('INFO', `${program.name}: weights stay as they are stored, for memory`);
      return kept;
    }
    const size = memoryBudget * partShare;
    const cut = partsOf(program, size, (tensor) => weightBytes(tensor, form));
    const parts = cut.map((of) => part(of, form));
    const plan = planParts(parts, memoryBudget);
    return { bytes: plan.bytes, open: async () => sessionOfParts(program, parts, plan) };
  };
  let lost = false;
  /**
   * After running out of memory everything idle is released and the call tried once more. What was open
   * on a device that is lost is of no use any more.
   */
  const withRetry = async <T>(attempt: () => Promise<T>): Promise<T> => {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof NoodleError)) throw error;
      lost ||= error.code === 'DEVICE_LOST';
      const curable = error.code === 'OUT_OF_MEMORY' || error.code === 'DEVICE_LOST';
      const released = curable ? await cache.clear() : 0;
      if (error.code !== 'OUT_OF_MEMORY' || released === 0) throw error;
      return attempt();
    }
  };
  return {
    log,
    session: async (key, build, needs = {}) => {
      let request: Opening | undefined;
      const lazily = (): Opening => (request ??= opening(build(), needs));
      await withRetry(() => cache.open(key, lazily));
      return {
        run: (inputs, runOptions) =>
          withRetry(() =>
            cache.use(key, lazily, (session) => session.run(inputs, runOptions), inputs),
          ),
      };
    },
    unloadAll: async () => {
      await cache.clear();
    },
    lostDevice: () => lost,
    stats: () => {
      const sessions = cache.entries();
      const bytes = sessions.reduce((sum, entry) => sum + entry.bytes, 0);
      return { sessions, bytes, memoryBudget };
    },
  };
}

/** The first few of a list, as text. */
const shortList = (items: readonly string[]): string =>
  items.slice(0, 10).join(', ') + (items.length > 10 ? ', …' : '');
