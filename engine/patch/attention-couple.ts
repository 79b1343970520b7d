/**
 * Prompts by region inside the cross-attention: every position looks at each prompt, and the answers are
 * mixed by the prompts' masks there (attention couple, hako-mikan's regional prompter; numbers as in
 * laksjdjf's ComfyUI node of that name).
 */
import { concat, repeatToBatch } from '../array/batch.ts';
import { type NDArray, nd } from '../array/nd.ts';
import type { UNetBlock } from '../arch/unet.ts';
import { add, input, mul, reshape, slice } from '../tensor/nn.ts';
import { symbol } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Feeds, NetworkCall, NetworkPatch } from './patch.ts';

/** A prompt and how much it counts at every place, 0..1; of all together 1. */
export interface Region {
  /** [1, tokens, width]. */
  readonly context: NDArray;
  /** [1, h, w] in any size. */
  readonly weight: NDArray;
}

/** The regions of a list of conditioning (0 is the positive one); lists without any keep their own prompt. */
export type Regions = readonly (readonly Region[])[];

/** What the identity of each such patch begins with. */
export const COUPLE = 'attention couple';

/** Acts in every `attn2` of the blocks; prompts and masks are fed. */
export function attentionCouplePatch(regions: Regions, blocks: readonly UNetBlock[]): NetworkPatch {
  const count = Math.max(...regions.map((list) => list.length));
  const levels = [...new Set(blocks.map(({ level }) => level))];
  // Inputs of a program are made once.
  let contexts: readonly Tensor[] | undefined;
  const weights: Record<number, Tensor> = {};
  return {
    identity: `${COUPLE} ${count}`,
    at({ name, inputs, run }) {
      const block = blocks.find((each) => name.startsWith(`${each.name}.`));
      if (block === undefined || !name.endsWith('.attn2')) return undefined;
      const [batch, tokens] = inputs.x.shape;
      contexts ??= Array.from({ length: count }, (_, i) => {
        const shape = [batch, symbol('couple_tokens'), inputs.context.shape[2]];
        return input(`couple/context${i}`, 'f32', shape);
      });
      const { level } = block;
      weights[level] ??= input(`couple/weights${level}`, 'f32', [count, batch, tokens]);
      const answers = contexts.map((context, i) => {
        const weight = reshape(slice(weights[level], 0, i, i + 1), [batch, tokens, 1]);
        return mul(run({ x: inputs.x, context, value: context }), weight);
      });
      return answers.reduce((sum, answer) => add(sum, answer));
    },
    feeds: (call) => couple(call, regions, count, levels),
  };
}

function couple(
  { rows, input: call }: NetworkCall,
  regions: Regions,
  count: number,
  levels: readonly number[],
): Feeds {
  const { parts, x } = call!;
  const size = rows / parts.length;
  const whole = nd(Float32Array.of(1), [1, 1, 1]);
  const sides = parts.map(({ list, entry }): readonly Region[] =>
    (regions[list] ?? []).length > 0 ? regions[list] : [{ context: entry.cross, weight: whole }],
  );
  const lengths = sides.flat().map(({ context }) => context.shape[1]);
  const tokens = lengths.reduce((all, length) => (all / gcd(all, length)) * length, 1);
  const feeds: Record<string, NDArray> = {};
  for (let i = 0; i < count; i++) {
    // A side with fewer regions looks at its first once more, for nothing.
    const own = sides.map((side) => repeated((side[i] ?? side[0]).context, tokens));
    feeds[`couple/context${i}`] = concat(own.map((context) => repeatToBatch(context, size)));
  }
  for (const level of levels) {
    const [h, w] = x.shape.slice(-2).map((side) => sizeAt(side, level));
    const weights = Array.from({ length: count }, (_, i) =>
      concat(sides.map((side) => repeatToBatch(weightAt(side[i], h, w), size))),
    );
    feeds[`couple/weights${level}`] = nd(concat(weights).data, [count, rows, h * w]);
  }
  return feeds;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** Attention to tokens that all come equally often is the same as to each once. */
const repeated = (context: NDArray, tokens: number): NDArray =>
  concat(Array<NDArray>(tokens / context.shape[1]).fill(context), 1);

/** A side of the picture after it was halved some times. */
const sizeAt = (side: number, level: number): number =>
  level === 0 ? side : sizeAt(Math.ceil(side / 2), level - 1);

/** A region's weight at every position [1, h·w], by torch's 'nearest'; nothing without a region. */
function weightAt(region: Region | undefined, h: number, w: number): NDArray {
  const out = new Float32Array(h * w);
  if (region !== undefined) {
    const { data, shape } = region.weight;
    const [rows, columns] = shape.slice(1);
    const place = (i: number, from: number, to: number): number =>
      Math.min(Math.floor(Math.fround(i * Math.fround(from / to))), from - 1);
    for (let y = 0, at = 0; y < h; y++) {
      const row = place(y, rows, h) * columns;
      for (let x = 0; x < w; x++) out[at++] = data[row + place(x, columns, w)];
    }
  }
  return nd(out, [1, h * w]);
}
