/** What networks are told beside text and latent: the kinds of `Condition` (engine/arch/family.ts). */
import { type NDArray, zeros } from '../array/nd.ts';
import type { Condition } from '../arch/family.ts';
import type { ConditioningEntry } from '../sampling/conditioning.ts';
import type { LatentFormat } from '../sampling/latent/formats.ts';
import { processIn } from '../sampling/latent/process.ts';
import type { CondTensor, ConditioningRun } from '../sampling/model.ts';
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
  references(_, { entry: { extra = {} }, run, format }) {
    const latents = (extra.reference_latents ?? []) as readonly NDArray[];
    const places = placeReferences(latents, run.latentShape, extra.reference_latents_method);
    const tensors = latents.flatMap((latent, i) => [
      [`reference${i}`, row(processIn(format, latent))] as const,
      [`place${i}`, row({ data: Float32Array.from(places[i]), shape: [1, 3] })] as const,
    ]);
    return Object.fromEntries(tensors);
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
