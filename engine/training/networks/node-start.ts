/**
 * The adapters that ComfyUI's TrainLoraNode begins with, as rows: the parts of each and the draws they
 * come from, in its order. Facts: README of the golden area `training` (RNG of TrainLoraNode).
 */
import { type NDArray, sizeOf, zeros } from '../../array/nd.ts';
import type { AdapterParts } from '../../patch/lora/kinds.ts';
import type { TorchGenerator } from '../../sampling/noise/torch-generator.ts';

/** The parts of the adapter of a weight [out, ...rest], by the names of engine/patch/lora/kinds.ts. */
type Start = (shape: readonly number[], rank: number, generator: TorchGenerator) => AdapterParts;

/** Uniform numbers between -bound and bound. */
function uniform(shape: readonly number[], bound: number, generator: TorchGenerator): NDArray {
  const span = Math.fround(2 * bound);
  const data = generator.rand(sizeOf(shape));
  return { data: data.map((u) => Math.fround(u * span) - bound), shape };
}

function normal(shape: readonly number[], mean: number, generator: TorchGenerator): NDArray {
  return { data: generator.randn(shape).data.map((z) => z + mean), shape };
}

/**
 * d as two factors, the smaller one first: `wanted` where it divides d and is no larger than the other,
 * else the pair that grows towards it while their sum does not.
 */
export function factorPair(d: number, wanted: number): readonly [number, number] {
  if (wanted > 0 && d % wanted === 0 && d >= wanted * wanted) return [wanted, d / wanted];
  const limit = wanted < 0 ? d : wanted;
  let [m, n] = [1, d];
  let length = m + n;
  while (m < n) {
    let next = m + 1;
    while (d % next !== 0) next++;
    const other = d / next;
    if (next + other > length || next > limit) break;
    [m, n] = [next, other];
    length = m + n;
  }
  return m > n ? [n, m] : [m, n];
}

const flatSides = ([out, ...rest]: readonly number[]): readonly [number, number] => [
  out,
  sizeOf(rest),
];

export const nodeStarts: Readonly<Record<string, Start>> = {
  LoRA: (shape, rank, generator) => {
    const [out, inputs] = flatSides(shape);
    const up = uniform([out, rank], 1 / Math.sqrt(rank), generator);
    generator.rand(out * rank); // two layers are made and not used
    generator.rand(rank * inputs);
    return { up, down: zeros([rank, inputs]) };
  },
  LoHa: (shape, rank, generator) => {
    const [out, inputs] = flatSides(shape);
    const h1a = normal([out, rank], 0.1, generator);
    const h2a = normal([out, rank], 0.1, generator);
    const h2b = normal([rank, inputs], 0.01, generator);
    return { h1a, h1b: zeros([rank, inputs]), h2a, h2b };
  },
  LoKr: (shape, rank, generator) => {
    const [out, inputs] = flatSides(shape);
    const [o1, o2] = factorPair(out, rank);
    const [i1, i2] = factorPair(inputs, rank);
    return { w1: zeros([o1, i1]), w2: uniform([o2, i2], 1 / Math.sqrt(i2), generator) };
  },
  OFT: (shape, rank) => {
    const [size, count] = factorPair(shape[0], rank);
    return { blocks: zeros([count, size, size]) };
  },
};
