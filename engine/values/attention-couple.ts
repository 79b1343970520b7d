/** Conditioning with masks made one whose regions act inside the model. */
import { nd, sameShape } from '../array/nd.ts';
import { unetBlocks } from '../arch/unet.ts';
import { NoodleError } from '../errors.ts';
import { COUPLE, attentionCouplePatch } from '../patch/attention-couple.ts';
import type { Region } from '../patch/attention-couple.ts';
import type { Conditioning, ConditioningEntry } from '../sampling/conditioning.ts';
import type { Model } from './model.ts';
import { unetOf } from './unet-patches.ts';

/** What a model and its two lists of conditioning become. */
export interface Coupled {
  readonly model: Model;
  readonly positive: Conditioning;
  readonly negative: Conditioning;
}

/**
 * The model that mixes the prompts of each list by their masks in its cross-attentions, and the first
 * entry of each list, without mask: its pooled text, area and so on stand for all. A list of one entry
 * stays a plain prompt. Throws BAD_INPUT for other networks than UNets, for entries without a mask, and
 * where no mask covers a place.
 */
export function coupleAttention({ model, positive, negative }: Coupled): Coupled {
  const { w } = unetOf(model, 'attention couple');
  const regions = [positive, negative].map((list, i) =>
    list.length > 1 ? regionsOf(list, i === 0 ? 'positive' : 'negative') : [],
  );
  if (regions.every((list) => list.length === 0)) return { model, positive, negative };
  // An earlier couple does not count any more.
  const others = model.patches.filter(({ identity }) => !identity.startsWith(COUPLE));
  const plain = (list: Conditioning): Conditioning => list.slice(0, 1).map(withoutMask);
  return {
    model: { ...model, patches: [...others, attentionCouplePatch(regions, unetBlocks(w))] },
    positive: positive.length > 1 ? plain(positive) : positive,
    negative: negative.length > 1 ? plain(negative) : negative,
  };
}

function withoutMask(entry: ConditioningEntry): ConditioningEntry {
  const rest = { ...entry };
  delete (rest as { mask?: unknown }).mask;
  delete (rest as { maskStrength?: unknown }).maskStrength;
  return rest;
}

/** Masks times their strengths, each divided by the sum of all. */
function regionsOf(list: Conditioning, subject: string): Region[] {
  const masks = list.map(({ mask }) => mask);
  const [first] = masks;
  const refuse = (expected: string, got: unknown): never => {
    throw new NoodleError('BAD_INPUT', { subject, expected, got });
  };
  if (first === undefined || masks.some((mask) => !mask || !sameShape(mask.shape, first.shape))) {
    const got = masks.map((mask) => mask?.shape ?? 'none');
    return refuse('a mask of one size for each of its prompts', got);
  }
  const [, h, w] = first.shape;
  const sum = new Float32Array(h * w);
  const scaled = list.map(({ mask, maskStrength = 1 }) =>
    mask!.data.subarray(0, h * w).map((v) => v * maskStrength),
  );
  for (const weights of scaled) weights.forEach((v, i) => (sum[i] += v));
  const bare = sum.findIndex((v) => !(v > 0));
  if (bare >= 0) {
    const place = `none at ${bare % w}, ${Math.floor(bare / w)}`;
    return refuse('masks that cover the whole picture together', place);
  }
  return list.map(({ cross }, i) => ({
    context: cross,
    weight: nd(
      scaled[i].map((v, k) => v / sum[k]),
      [1, h, w],
    ),
  }));
}
