/**
 * Prompts by region inside the cross-attention: every position looks at each prompt, and the answers are
 * mixed by the prompts' masks there (attention couple, hako-mikan's regional prompter; numbers as in
 * laksjdjf's ComfyUI node of that name).
 */
import { concat, repeatToBatch } from '../array/batch.ts';
import { type NDArray, nd } from '../array/nd.ts';
import { commonLength, fitTogether, repeatTokens } from '../array/tokens.ts';
import type { UNetBlock } from '../arch/unet.ts';
import { NoodleError } from '../errors.ts';
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

/** What is looked at in one attention: of each list one of its regions, or none. */
type Glance = Regions[number][number] | undefined;
type Glances = readonly Glance[];

/** What the identity of each such patch begins with. */
export const COUPLE = 'attention couple';

/**
 * Acts in every `attn2` of the blocks; prompts and masks are fed. A call throws BAD_INPUT where a list
 * without regions has a prompt whose length does not fit those of the others' first regions.
 */
export function attentionCouplePatch(regions: Regions, blocks: readonly UNetBlock[]): NetworkPatch {
  const glances = glancesOf(regions);
  const levels = [...new Set(blocks.map(({ level }) => level))];
  // Inputs of a program are made once.
  let contexts: readonly Tensor[] | undefined;
  const weights: Record<number, Tensor> = {};
  return {
    identity: `${COUPLE} ${glances.length}`,
    at({ name, inputs, run }) {
      const block = blocks.find((each) => name.startsWith(`${each.name}.`));
      if (block === undefined || !name.endsWith('.attn2')) return undefined;
      const [batch, tokens] = inputs.x.shape;
      contexts ??= glances.map((_, i) => {
        const shape = [batch, symbol(`couple_tokens${i}`), inputs.context.shape[2]];
        return input(`couple/context${i}`, 'f32', shape);
      });
      const { level } = block;
      weights[level] ??= input(`couple/weights${level}`, 'f32', [glances.length, batch, tokens]);
      const answers = contexts.map((context, i) => {
        const weight = reshape(slice(weights[level], 0, i, i + 1), [batch, tokens, 1]);
        return mul(run({ x: inputs.x, context, value: context }), weight);
      });
      return answers.reduce((sum, answer) => add(sum, answer));
    },
    feeds: (call) => couple(call, { regions, glances, levels }),
  };
}

/**
 * Regions of all lists with the same number, together; one whose length does not fit the others' is looked
 * at alone, so that nothing grows with the product of lengths.
 */
function glancesOf(regions: Regions): readonly Glances[] {
  const count = Math.max(...regions.map((list) => list.length));
  return Array.from({ length: count }, (_, i) => {
    const together: Glance[][] = [];
    regions.forEach((list, side) => {
      const region = list.at(i);
      if (region === undefined) return;
      const fits = (other: Glance): boolean => other === undefined || canShare(other, region);
      const place = together.find((glance) => glance.every(fits));
      if (place === undefined)
        together.push(regions.map((_, k) => (k === side ? region : undefined)));
      else place[side] = region;
    });
    return together;
  }).flat();
}

const canShare = (a: Region, b: Region): boolean =>
  fitTogether(a.context.shape[1], b.context.shape[1]);

const WHOLE = nd(Float32Array.of(1), [1, 1, 1]);

function couple(
  { rows, input: call }: NetworkCall,
  {
    regions,
    glances,
    levels,
  }: { regions: Regions; glances: readonly Glances[]; levels: readonly number[] },
): Feeds {
  const { parts, x } = call!;
  const size = rows / parts.length;
  const looks = glances.map((glance, i) =>
    parts.map(({ list, entry }): Glance => {
      const hasOwn = (regions.at(list) ?? []).length === 0;
      if (hasOwn) return i === 0 ? { context: entry.cross, weight: WHOLE } : undefined;
      return glance[list];
    }),
  );
  const feeds: Record<string, NDArray> = {};
  for (const [i, sides] of looks.entries()) {
    const contexts = joined(sides, parts[0].entry.cross);
    feeds[`couple/context${i}`] = concat(contexts.map((each) => repeatToBatch(each, size)));
  }
  for (const level of levels) {
    const [h, w] = x.shape.slice(-2).map((side) => sizeAt(side, level));
    const weights = looks.map((sides) =>
      concat(sides.map((side) => repeatToBatch(weightAt(side, h, w), size))),
    );
    feeds[`couple/weights${level}`] = nd(concat(weights).data, [glances.length, rows, h * w]);
  }
  return feeds;
}

/** The sides' prompts in one length; a side without one looks at another's, for nothing. */
function joined(sides: Glances, otherwise: NDArray): NDArray[] {
  const present = sides.flatMap((side) => side?.context ?? []);
  const [first = otherwise] = present;
  const lengths = present.map(({ shape }) => shape[1]);
  if (!lengths.every((length) => fitTogether(length, lengths[0]))) {
    throw new NoodleError('BAD_INPUT', {
      subject: 'attention couple',
      expected: 'prompts of which a few repeats are equally long',
      got: `${[...new Set(lengths)].join(' and ')} tokens`,
    });
  }
  const length = commonLength(present.length > 0 ? lengths : [first.shape[1]]);
  return sides.map((side) => repeatTokens(side?.context ?? first, length));
}

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
