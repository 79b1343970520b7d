/**
 * The Brownian path behind the SDE samplers' noise: torchsde's fixed dyadic BrownianTree, so that the
 * same seed gives the same path whatever the steps. Each node halves a sigma interval and draws its
 * midpoint from a Brownian bridge with a seed of its own.
 */
import { type NDArray, zeros } from '../../array/nd.ts';
import { add, axpby, scale, sub } from '../../array/elementwise.ts';
import { seedWords } from './seed-sequence.ts';
import { toSeed } from './seed.ts';
import { TorchGenerator } from './torch-generator.ts';

/** Noise for the step from `sigma` to `sigmaNext`. */
export type NoiseSampler = (sigma: number, sigmaNext: number) => NDArray;

interface Node {
  readonly start: number;
  readonly end: number;
  /** Position among the nodes of its depth. */
  readonly key: number;
  readonly depth: number;
  /** Increment of the path over [start, end]. */
  readonly increment: NDArray;
  /** The halves while the current or the previous request needed them. */
  halves?: readonly [Node, Node];
  lastUsed: number;
}

/**
 * `BrownianTreeNoiseSampler` of k-diffusion on the CPU: unit-variance noise of `shape` for any pair
 * of sigmas between the smallest positive and the largest of `sigmas`; all 64 bits of the seed count.
 */
export function brownianNoise(
  shape: readonly number[],
  sigmas: ArrayLike<number>,
  seed: number | bigint,
): NoiseSampler {
  const positive = Array.from(sigmas).filter((sigma) => sigma > 0);
  const low = Math.min(...positive);
  const high = Math.max(...positive);
  const entropy = toSeed(seed);
  let root: Node | undefined;
  let request = 0;

  /** The increment over [from, to], which lies within the node. */
  const walk = (node: Node, from: number, to: number): NDArray => {
    if (from >= to) return zeros(shape);
    node.lastUsed = request;
    if (from === node.start && to === node.end) return node.increment;
    node.halves ??= split(node, shape, entropy);
    const [left, right] = node.halves;
    if (to <= left.end) return walk(left, from, to);
    if (from >= left.end) return walk(right, from, to);
    return add(walk(left, from, left.end), walk(right, left.end, to));
  };

  return (sigma, sigmaNext) => {
    root ??= rootNode(shape, low, high, entropy);
    request++;
    const clamp = (t: number): number =>
      round6(Math.min(Math.max(t, (root as Node).start), (root as Node).end));
    const a = Math.fround(sigma);
    const b = Math.fround(sigmaNext);
    const increment = walk(root, clamp(Math.min(a, b)), clamp(Math.max(a, b)));
    prune(root, request);
    const deviation = Math.fround(Math.sqrt(Math.abs(Math.fround(b - a))));
    return scale(increment, (a < b ? 1 : -1) / deviation);
  };
}

function rootNode(shape: readonly number[], low: number, high: number, entropy: bigint): Node {
  const generator = new TorchGenerator(seedWords(entropy, [], 3)[0]);
  const increment = scale(generator.randn(shape), Math.fround(Math.sqrt(high - low)));
  return { start: round6(low), end: round6(high), key: 0, depth: 0, increment, lastUsed: 0 };
}

/** Both halves of a node: a Brownian bridge pinned at its ends, drawn with the node's own seed. */
function split(node: Node, shape: readonly number[], entropy: bigint): readonly [Node, Node] {
  const { start, end, key, depth, increment } = node;
  const midway = round6(0.5 * (end + start));
  const l = midway - start;
  const r = end - midway;
  const h = 1 / (end - start);
  const z = new TorchGenerator(seedWords(entropy, [key, depth], 4)[0]).randn(shape);
  const f = Math.fround;
  const left = axpby(f(h), scale(increment, f(l)), f(Math.sqrt(l * r * h)), z);
  const child = { depth: depth + 1, lastUsed: node.lastUsed };
  return [
    { ...child, start, end: midway, key: 2 * key, increment: left },
    { ...child, start: midway, end, key: 2 * key + 1, increment: sub(increment, left) },
  ];
}

/** Forgets nodes that neither this nor the previous request walked through. */
function prune(node: Node, request: number): void {
  if (!node.halves) return;
  for (const half of node.halves) prune(half, request);
  if (node.halves.every((half) => half.lastUsed < request - 1)) node.halves = undefined;
}

/**
 * Python's `round(t, 6)` for t >= 0. `toFixed` rounds the exact binary value too, but sends exact
 * ties up where Python takes the even digit; a tie at the sixth decimal is an odd multiple of 1/128.
 */
export function round6(t: number): number {
  const in128ths = t * 128;
  if (Number.isInteger(in128ths) && in128ths % 2 !== 0) {
    const below = Math.floor(t * 1e6);
    return (below % 2 === 0 ? below : below + 1) / 1e6;
  }
  return Number(t.toFixed(6));
}
