/** In what form a program is opened, for it to fit into memory: widened, narrow, or in parts. */
import type { NDArray } from '../array/nd.ts';
import type { Log } from '../log.ts';
import { isInNibbles } from '../onnx/nibbles.ts';
import { winogradLayers } from '../onnx/winograd.ts';
import { sizeText } from '../size-text.ts';
import { leafOps } from '../tensor/ops/leaves.ts';
import { isOp } from '../tensor/tensor.ts';
import type { Program } from '../tensor/trace.ts';
import { keepWeights } from './kept-weights.ts';
import { estimateMemory, weightBytes } from './memory.ts';
import { type Part, type PartsPlan, partsOf, planParts, sessionOfParts } from './parts.ts';
import { type PreparedWeights, createPreparedWeights } from './prepared-weights.ts';
import type { Provider } from './provider.ts';
import { type SessionOptions, beginSession, openSession } from './session.ts';
import type { Opening } from './session-cache.ts';
import { offMemoryFolders, preparedFolders } from './weight-files.ts';

export interface FittingOptions {
  /** Bytes that models may take together. */
  readonly memoryBudget: number;
  readonly threads: number | undefined;
  /** Where rewritten weights go. */
  readonly prepared: PreparedWeights;
  /** Hears what is done for want of memory. */
  readonly log: Log | undefined;
}

/** How a program is opened. */
export type Fitting = (program: Program, provider: Provider) => Opening<NDArray>;

/** Share of the budget that one part of a larger model should take: two are there at once. */
const partShare = 0.125;

export function createFitting(options: FittingOptions): Fitting {
  const { memoryBudget, threads, prepared, log } = options;
  const folders = offMemoryFolders();
  /** What memory is short for; undefined where there is no disk. */
  const onDisk = folders.length > 0 ? createPreparedWeights({ folders }) : undefined;
  /** The same, and in memory after all where the disk is full. */
  const rather = createPreparedWeights({ folders: [...folders, ...preparedFolders()] });

  const whole = (
    program: Program,
    provider: Provider,
    { bytes = estimateMemory(program, provider), store = prepared } = {},
  ): Whole => {
    const spare = Math.min(provider.winogradBytes(bytes), memoryBudget - bytes);
    const { layers, bytes: more } = winogradLayers(program, spare, weightBytes(program, provider));
    const session = { provider, threads, prepared: store, winograd: layers };
    return { program, bytes: bytes + more, session };
  };
  const opening = ({ program, bytes, session }: Whole): Opening<NDArray> => ({
    bytes,
    open: () => openSession(program, session),
  });
  const partOf = ({ program, bytes, session }: Whole): Part => {
    const store = onDisk && keepWeights(onDisk, prepared);
    return {
      program,
      bytes,
      begin: () => beginSession(program, { ...session, prepared: store ?? prepared }),
      forget: store?.forget,
    };
  };
  const inParts = (program: Program, provider: Provider, taken: number): Opening<NDArray> => {
    const bytesOf = weightBytes(program, provider);
    const parts = partsOf(program, memoryBudget * partShare, bytesOf).map((of) => {
      // what is packed takes memory once, as long as what it was made of lies on the disk
      const form = (onDisk && packing(provider, of)) ?? provider;
      return partOf(whole(of, form, { bytes: estimateMemory(of, provider) }));
    });
    const plan = planParts(parts, memoryBudget);
    log?.('INFO', partsText(program, { taken, memoryBudget, parts: parts.length, plan }));
    const { bytes, streamed } = plan;
    return { bytes, streamed, open: async () => sessionOfParts(program, parts, plan) };
  };

  return (program, provider) => {
    const wide = estimateMemory(program, provider);
    const fits = wide <= memoryBudget;
    if (fits && wide <= provider.widestBytes) return opening(whole(program, provider));
    const form =
      provider.memory === 'host'
        ? narrow(provider, {
            isLaidAnew: fits && wide >= (provider.laidFrom ?? Infinity),
            isShort: !fits,
          })
        : provider;
    const kept = whole(program, form);
    if (kept.bytes > memoryBudget) return inParts(program, form, kept.bytes);
    if (!fits) log?.('INFO', `${program.name}: weights stay as they are stored, for memory`);
    const packed = packing(form, program);
    if (!packed) return opening(kept);
    const twice = whole(program, packed);
    if (twice.bytes <= memoryBudget) return opening(twice);
    const { bytes } = kept;
    return opening(onDisk ? whole(program, packed, { bytes, store: rather }) : kept);
  };
}

/** A program that is opened as one, or a part. */
interface Whole {
  readonly program: Program;
  readonly bytes: number;
  readonly session: SessionOptions;
}

function partsText(
  { name }: Program,
  {
    taken,
    memoryBudget,
    parts,
    plan,
  }: {
    readonly taken: number;
    readonly memoryBudget: number;
    readonly parts: number;
    readonly plan: PartsPlan;
  },
): string {
  const text = `${name}: its weights take ${sizeText(taken)} of the ${sizeText(memoryBudget)} that models may take`;
  const stay = `${sizeText(taken - plan.streamed)} of them stay there`;
  const how = `${stay}, ${sizeText(plan.streamed)} are read anew at each call`;
  return `${text}: it runs in ${parts} parts, which is slower; ${how}`;
}

/**
 * Weights that stay narrow and are widened whenever they are read. ONNX Runtime would do that once, when it
 * opens the model, and keep the result; and looking for what it could fuse takes it longer than it gains, for
 * programs come fused. Matrices are laid anew, or stay mapped where they are stored.
 */
const narrow = (provider: Provider, { isLaidAnew, isShort }: NarrowForm): Provider => ({
  ...provider,
  widen: 'graph',
  keepStored: !isLaidAnew,
  isShort,
  session: {
    ...provider.session,
    optimization: 'disabled',
    // the arena grows by powers of two and keeps what the largest layers took
    options: isShort
      ? { ...provider.session.options, enableCpuMemArena: false }
      : provider.session.options,
  },
});

interface NarrowForm {
  /** Matrices are laid anew. */
  readonly isLaidAnew: boolean;
  /** Memory is short: what an operator took goes back at once. */
  readonly isShort: boolean;
}

/** The same with matrices in codes of four bits packed, if the program has any. */
const packing = (provider: Provider, { nodes }: Program): Provider | undefined =>
  provider.canPack && nodes.some((node) => isOp(leafOps.param, node) && isInNibbles(node))
    ? {
        ...provider,
        packsNibbles: true,
        session: {
          ...provider.session,
          config: { ...provider.session.config, 'session.disable_prepacking': '0' },
        },
      }
    : undefined;
