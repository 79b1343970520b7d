/** What networks are told beside text and latent: the kinds of `Condition` (engine/arch/family.ts). */
import { concat, sliceAxis } from '../array/batch.ts';
import { type NDArray, zeros } from '../array/nd.ts';
import type { Condition } from '../arch/family.ts';
import { biasInput } from '../patch/attention-bias.ts';
import type { ConditioningEntry } from '../sampling/conditioning.ts';
import type { LatentFormat } from '../sampling/latent/formats.ts';
import { processIn } from '../sampling/latent/process.ts';
import type { CondTensor, ConditioningRun } from '../sampling/model.ts';
import type { AttentionBias } from './attention-bias.ts';
import { placeReferences } from './reference-places.ts';

type Tensors = Readonly<Record<string, CondTensor>>;

/** What an entry says, and the latent that is sampled. */
interface Told {
  readonly entry: ConditioningEntry;
  readonly run: ConditioningRun;
  readonly format: LatentFormat;
}

type Kinds = {
  readonly [K in Condition['kind']]: (
    condition: Extract<Condition, { readonly kind: K }>,
    told: Told,
  ) => Tensors;
};

const row = (value: NDArray): CondTensor => ({ value, along: 'row' });

const kinds: Kinds = {
  pooled: ({ width }, { entry: { pooled } }) => ({ pooled: row(pooled ?? zeros([1, width])) }),
  guidance({ otherwise }, { entry: { extra = {} } }): Tensors {
    const { guidance = otherwise } = extra;
    if (typeof guidance !== 'number') return {}; // switched off
    return { guidance: row({ data: Float32Array.of(guidance), shape: [1] }) };
  },
  references({ methods, patch = 2, apart = 1 }, { entry: { extra = {} }, run, format }): Tensors {
    const latents = (extra.reference_latents ?? []) as readonly NDArray[];
    if (latents.length === 0) return {};
    const { reference_latents_method: named = methods[0] } = extra;
    const method = methods.find((known) => known === named) ?? 'offset';
    const places = placeReferences(latents, run.latentShape, method, { patch, apart });
    const tensors = latents.flatMap((latent, i) => [
      [`reference${i}`, row(processIn(format, latent))] as const,
      [`place${i}`, row({ data: Float32Array.from(places[i]), shape: [1, 3] })] as const,
    ]);
    if (method !== 'index_timestep_zero') return Object.fromEntries(tensors);
    return { ...Object.fromEntries(tensors), reference_time: row(zeros([1])) };
  },
  'attention-bias'(_, { entry: { extra = {} } }): Tensors {
    const told = extra.attention_bias as AttentionBias | undefined;
    return told ? { [biasInput]: row(told) } : {};
  },
  'trimmed-text'(_, { entry: { cross, extra = {} } }): Tensors {
    const mask = extra.attention_mask as NDArray | undefined;
    const count = mask ? mask.data.reduce((sum, flag) => sum + flag, 0) : cross.shape[1];
    return { cross: row(sliceAxis(cross, 1, 0, count)) };
  },
  'padded-text'({ atLeast }, { entry: { cross } }): Tensors {
    const [batch, tokens, width] = cross.shape;
    if (tokens >= atLeast) return {};
    const value = concat([zeros([batch, atLeast - tokens, width]), cross], 1);
    return { cross: row(value) };
  },
};

/** The inputs that a family's conditions make of one entry. */
export function conditionTensors(
  conditions: readonly Condition[],
  entry: ConditioningEntry,
  run: ConditioningRun,
  format: LatentFormat,
): Tensors {
  const told = { entry, run, format };
  const tensors = conditions.map((condition) => rowOf(condition.kind)(condition, told));
  return Object.fromEntries(tensors.flatMap((made) => Object.entries(made)));
}

/** The row of a kind, which is only handed conditions of that kind. */
const rowOf = (kind: Condition['kind']) =>
  kinds[kind] as (condition: Condition, told: Told) => Tensors;
