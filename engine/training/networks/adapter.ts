/** A module in training: its adapter's parts at the start, and what they do to its weight. */
import { type NDArray, zeros } from '../../array/nd.ts';
import { NoodleError } from '../../errors.ts';
import {
  type AdapterAct,
  type AdapterKind,
  type AdapterParts,
  adapterKinds,
} from '../../patch/lora/kinds.ts';
import { onRows } from '../../patch/lora/lora.ts';
import type { WeightSource } from '../../weights/source.ts';
import type { TrainedModule } from '../modules/module.ts';
import { oftInTraining } from './oft.ts';
import { type TrainedNetwork, type TrainedWeight, partsIn } from './trained.ts';

/** What is trained of a module. */
export interface Adapter {
  readonly module: TrainedModule;
  /** Its parts at the start, by the names of their kind; none for a module whose bias alone is trained. */
  readonly parts: AdapterParts;
  /** What its change counts is alpha / rank, where its kind has a rank. */
  readonly alpha?: number;
}

const differences = adapterKinds.find(({ name }) => name === 'diff')!;

const kindOf = (parts: AdapterParts): AdapterKind =>
  adapterKinds.findLast(({ needs }) =>
    needs.every((choices) => choices.some((part) => part in parts)),
  )!;

/** What the parts do to the weight of their module. */
function actOf(
  { module, parts, alpha }: Adapter,
  whole: readonly number[],
): AdapterAct | undefined {
  const { shape, rows } = module;
  if ('blocks' in parts) return oftInTraining(parts.blocks, shape, alpha ?? 0);
  const kind = kindOf(parts);
  return rows ? onRows(kind, parts, whole, () => rows) : kind.act(parts, shape);
}

/** What an adapter's change counts. */
const scaleOf = ({ parts, alpha }: Adapter): number => {
  const rank = 'blocks' in parts ? undefined : kindOf(parts).rank?.(parts);
  return alpha === undefined || rank === undefined ? 1 : alpha / rank;
};

/** The trained weights of adapters, in their order: each module's own, then its bias. Throws BAD_INPUT where parts do not fit. */
export function trainedWeights(
  adapters: readonly Adapter[],
  { tensors }: WeightSource,
): TrainedWeight[] {
  return adapters.flatMap((adapter): TrainedWeight[] => {
    const { module, parts } = adapter;
    const weights: TrainedWeight[] = [];
    if (Object.keys(parts).length > 0) {
      const act = actOf(adapter, tensors.get(module.key)!.shape);
      if (!act) {
        throw new NoodleError('BAD_INPUT', {
          subject: `the adapter of ${module.path}`,
          expected: `parts for a weight [${module.shape.join(', ')}]`,
          got: Object.entries(parts).map(([name, { shape }]) => `${name} [${shape.join(', ')}]`),
        });
      }
      weights.push({ name: nameOf(module), key: module.key, act, scale: scaleOf(adapter) });
    }
    if (module.bias !== undefined) {
      const { shape } = tensors.get(module.bias)!;
      const act = differences.act({ diff: zeros(shape) }, shape)!;
      weights.push({ name: module.bias, key: module.bias, act, scale: 1 });
    }
    return weights;
  });
}

/** Rows of a matrix are trained by themselves. */
const nameOf = ({ key, rows }: TrainedModule): string => (rows ? `${key}[${rows.join(':')}]` : key);

/** The parts of each module as they are to be saved, with alpha and the difference of the bias. */
export function trainedParts(
  adapters: readonly Adapter[],
  network: TrainedNetwork,
  values: Float32Array,
): (readonly [TrainedModule, AdapterParts])[] {
  return adapters.map((adapter) => {
    const { module, parts, alpha } = adapter;
    const { rows, bias } = module;
    const own: Record<string, NDArray> = {};
    const trained = partsIn(network, nameOf(module), values);
    for (const part of Object.keys(parts)) {
      const { data } = trained[rows ? `${rows[0]}:${part}` : part];
      own[part] = { data, shape: parts[part].shape };
    }
    if (alpha !== undefined) own.alpha = { data: Float32Array.of(alpha), shape: [] };
    if (bias !== undefined) own.bias = partsIn(network, bias, values).diff;
    return [module, own] as const;
  });
}
