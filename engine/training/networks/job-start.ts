/**
 * The adapters that a job file's run begins with, as rows: down-projections from Kaiming's uniform distribution with
 * a = sqrt(5), up-projections of zeros, so that nothing is changed at first. Facts: spec/training.md 4.
 */
import { type NDArray, sizeOf, zeros } from '../../array/nd.ts';
import type { AdapterParts } from '../../patch/lora/kinds.ts';
import type { TorchGenerator } from '../../sampling/noise/torch-generator.ts';
import type { NetworkSettings } from '../job/sections/network.ts';
import type { TrainedModule } from '../modules/module.ts';
import type { Adapter } from './adapter.ts';

interface Ranks {
  readonly rank: number;
  readonly alpha: number;
}

type Start = (
  shape: readonly number[],
  ranks: Ranks,
  settings: NetworkSettings,
  generator: TorchGenerator,
) => AdapterParts;

/** Uniform between -1/sqrt(fan in) and its opposite. */
function kaiming(shape: readonly number[], generator: TorchGenerator): NDArray {
  const bound = 1 / Math.sqrt(sizeOf(shape.slice(1)));
  const data = generator.rand(sizeOf(shape));
  return { data: data.map((u) => (2 * u - 1) * bound), shape };
}

/** d as (factor, d / factor) where the factor divides it, else the pair nearest to its root, the smaller one first. */
export function dimensionPair(d: number, factor: number): readonly [number, number] {
  if (factor > 0 && d % factor === 0) return [factor, d / factor];
  const limit = factor > 0 ? factor : d;
  let small = Math.min(Math.floor(Math.sqrt(d)), limit);
  while (d % small !== 0) small--;
  return [small, d / small];
}

const starts: Readonly<Record<NetworkSettings['type'], Start>> = {
  lora: ([out, inputs, ...kernel], { rank }, _, generator) => {
    const ones = kernel.map(() => 1);
    const down = [rank, inputs, ...kernel];
    generator.rand(sizeOf(down)); // layers are made with numbers of their own
    generator.rand(out * rank);
    return { up: zeros([out, rank, ...ones]), down: kaiming(down, generator) };
  },
  lokr: (
    [out, inputs, ...kernel],
    { rank },
    { lokrFactor, lokrFullRank },
    generator,
  ): AdapterParts => {
    const [outer, k] = dimensionPair(out, lokrFactor);
    const [innerIn, n] = dimensionPair(inputs, lokrFactor);
    const w1 = kaiming([outer, innerIn], generator);
    const isFull = lokrFullRank || rank >= Math.max(k, n) / 2;
    if (isFull) return { w1, w2: zeros([k, n, ...kernel]) };
    const width = n * sizeOf(kernel);
    return { w1, w2a: kaiming([k, rank], generator), w2b: zeros([rank, width]) };
  },
};

/** The adapters of modules, in their order, from the draws of `generator`. */
export function jobAdapters(
  modules: readonly TrainedModule[],
  settings: NetworkSettings,
  generator: TorchGenerator,
): Adapter[] {
  const { rank, alpha, conv = rank, convAlpha = alpha } = settings;
  return modules.map((module): Adapter => {
    if (module.as === 'offset') return { module, parts: { diff: zeros(module.shape) } };
    const isLarge = module.shape.slice(2).some((taps) => taps > 1);
    const ranks = isLarge ? { rank: conv, alpha: convAlpha } : { rank, alpha };
    const parts = starts[settings.type](module.shape, ranks, settings, generator);
    return { module, parts, alpha: ranks.alpha };
  });
}
