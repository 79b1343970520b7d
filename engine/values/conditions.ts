/** What networks are told beside text and latent: the kinds of `Condition` (engine/arch/family.ts). */
import { concat, sliceAxis } from '../array/batch.ts';
import { scale } from '../array/elementwise.ts';
import { type NDArray, reshape, zeros } from '../array/nd.ts';
import type { Condition } from '../arch/family.ts';
import { NoodleError } from '../errors.ts';
import { biasInput } from '../patch/attention-bias.ts';
import type { ConditioningEntry } from '../sampling/conditioning.ts';
import type { LatentFormat } from '../sampling/latent/formats.ts';
import { processIn } from '../sampling/latent/process.ts';
import type { CondTensor, ConditioningRun, ModelInput } from '../sampling/model.ts';
import type { AttentionBias } from './attention-bias.ts';
import { checkWidth } from './check-width.ts';
import type { ClipVisionOutput } from './clip-vision.ts';
import { placeReferences } from './reference-places.ts';
import { type SeenPicture, checkEmbeddings } from './unclip.ts';

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
  'size-and-ratio'(_, { entry: { extra = {} } }): Tensors {
    const { width, height, aspect_ratio: told } = extra;
    if (typeof width !== 'number' || typeof height !== 'number') return {};
    if (width === 0) {
      const subject = 'the size of the picture that conditioning tells';
      throw new NoodleError('BAD_INPUT', { subject, expected: 'a width above 0', got: width });
    }
    const ratio = typeof told === 'number' ? told : height / width;
    return { sizes: row({ data: Float32Array.of(height, width, ratio), shape: [1, 3] }) };
  },
  shares(_, { entry: { concatMask }, run: { denoiseMask } }): Tensors {
    const mask = concatMask ?? denoiseMask;
    if (mask?.shape.length !== 5) return {};
    return { shares: row(meanOfFrames(mask)) };
  },
  pictures({ width }, { entry: { extra = {} } }): Tensors {
    const seen = (extra.unclip ?? []) as readonly SeenPicture[];
    if (seen.length === 0) return { pictures: row(zeros([1, 1, width])) };
    const embeddings = seen.map(({ output: { embeds }, strength }) => {
      checkEmbeddings(embeds, width);
      return scale(reshape(embeds, [1, ...embeds.shape]), strength);
    });
    return { pictures: row(concat(embeddings, 1)) };
  },
  prior({ channels }, { entry: { extra = {} }, run: { latentShape } }): Tensors {
    const prior = extra.stable_cascade_prior as NDArray | undefined;
    if (prior) {
      checkPrior(prior, channels);
      return { prior: row(prior) };
    }
    // the usual size for the picture, so that it fits into one call with another that has one
    const sides = latentShape.slice(2).map((size) => Math.max(1, Math.floor((size * 4) / 42)));
    return { prior: row(zeros([1, channels, ...sides])) };
  },
  'reference-words'({ width }, { entry: { extra = {} } }): Tensors {
    if (!extra.reference_latents) return {};
    const words = (extra.reference_latents_text_embeds ?? []) as readonly NDArray[];
    return numbered('words', words, width);
  },
  'reference-views'({ width }, { entry: { extra = {} } }): Tensors {
    if (!extra.reference_latents) return {};
    const seen = (extra.clip_vision_outputs ?? []) as readonly ClipVisionOutput[];
    return numbered('view', seen.map(gridOfView), width);
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
  states({ count, width }, { entry: { extra = {} } }): Tensors {
    const states = extra.conditioning_llama3 as NDArray | undefined;
    if (!states || states.shape[1] < count || states.shape.at(-1) !== width) {
      throw new NoodleError('BAD_INPUT', {
        subject: "the language model's states in the conditioning",
        expected: `those of ${count} layers, width ${width}`,
        got: states ? `${states.shape[1]} layers, width ${states.shape.at(-1)}` : 'none',
      });
    }
    return { states: row(sliceAxis(states, 1, 0, count)) };
  },
  beside(_, { entry: { concatLatent }, run: { latentShape }, format }): Tensors {
    if (!concatLatent) return {};
    const [[, channels, height], [, ownChannels, ownHeight]] = [latentShape, concatLatent.shape];
    if (ownChannels !== channels || ownHeight !== height) {
      throw new NoodleError('BAD_INPUT', {
        subject: 'the latent of the picture to change',
        expected: `${channels} channels and ${height} rows, as the latent has that is sampled`,
        got: `${ownChannels} channels and ${ownHeight} rows`,
      });
    }
    return { beside: { value: processIn(format, concatLatent), along: 'grid' } };
  },
  'second-text'({ width, atLeast }, { entry: { extra = {} } }): Tensors {
    const told = ['conditioning_mt5xl', 'attention_mask', 'attention_mask_mt5xl'];
    const [second, ...masks] = told.map((name) => extra[name] as NDArray | undefined);
    const isMasked = masks.every((mask) => mask !== undefined);
    const fits = second && second.shape[1] >= atLeast && second.shape[2] === width;
    if (!fits || !isMasked) {
      const size = second ? `${second.shape[1]} tokens, width ${second.shape[2]}` : 'none';
      throw new NoodleError('BAD_INPUT', {
        subject: 'the second text in the conditioning, with masks',
        expected: `${atLeast} tokens or more, width ${width}`,
        got: second && !isMasked ? `${size}, without masks` : size,
      });
    }
    const [mask, secondMask] = masks;
    return { second: row(second), mask: row(mask), second_mask: row(secondMask) };
  },
  sizes({ otherwise }, { entry: { extra = {} } }): Tensors {
    const { width = otherwise, height = otherwise } = extra;
    const { target_width = width, target_height = height } = extra;
    const numbers = [height, width, target_height, target_width, 0, 0].map(Number);
    return { sizes: row({ data: Float32Array.from(numbers), shape: [1, numbers.length] }) };
  },
  'further-text'({ from, input, width }, { entry: { extra = {} } }): Tensors {
    const states = extra[from] as NDArray | undefined;
    if (!states) return {};
    checkWidth(states, width, `the further text (${from}) of a conditioning`);
    return { [input]: row(states) };
  },
  'next-sigma': () => ({}), // at every call
  'padded-text'({ atLeast }, { entry: { cross } }): Tensors {
    const [batch, tokens, width] = cross.shape;
    if (tokens >= atLeast) return {};
    const value = concat([zeros([batch, atLeast - tokens, width]), cross], 1);
    return { cross: row(value) };
  },
};

/** The mean of each frame of x [b, c, f, h, w]: [b, f]. */
function meanOfFrames({ data, shape: [batch, channels, frames, height, width] }: NDArray): NDArray {
  const size = height * width;
  const sums = new Float64Array(batch * frames);
  data.forEach((value, i) => {
    const plane = Math.floor(i / size);
    sums[Math.floor(plane / (channels * frames)) * frames + (plane % frames)] += value;
  });
  const means = Float32Array.from(sums, (sum) => sum / (channels * size));
  return { data: means, shape: [batch, frames] };
}

/** Tensors of a width under a name and their numbers. */
function numbered(name: string, values: readonly NDArray[], width: number): Tensors {
  const tensors = values.map((value, i) => {
    checkWidth(value, width, `what conditioning says of picture ${i + 1} to look at`);
    return [`${name}${i}`, row(value)] as const;
  });
  return Object.fromEntries(tensors);
}

/** The tokens of a picture in their rows and columns: [b, rows, columns, c]. Throws BAD_INPUT where they have none. */
function gridOfView({ last, grid: [rows, columns] }: ClipVisionOutput): NDArray {
  const [batch, tokens, width] = last.shape;
  if (tokens !== rows * columns) {
    throw new NoodleError('BAD_INPUT', {
      subject: 'what a picture encoder saw',
      expected: `a token for each of ${rows} x ${columns} patches, as SigLIP gives`,
      got: `${tokens} tokens`,
    });
  }
  return reshape(last, [batch, rows, columns, width]);
}

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

/**
 * The inputs that conditions make at every call. A noise level that the sampler does not stop at (steps between
 * steps) has none behind it.
 */
export function callTensors(
  conditions: readonly Condition[],
  { sigma, timesteps, run: { sigmas } }: Pick<ModelInput, 'sigma' | 'timesteps' | 'run'>,
): Readonly<Record<string, NDArray>> {
  const next = sigmas[sigmas.indexOf(sigma) + 1];
  const isTold = conditions.some(({ kind }) => kind === 'next-sigma');
  if (!isTold || !sigmas.includes(sigma) || next === undefined) return {};
  const { length } = timesteps;
  return { next_sigma: { data: new Float32Array(length).fill(next), shape: [length] } };
}

/** The row of a kind, which is only handed conditions of that kind. */
const rowOf = (kind: Condition['kind']) =>
  kinds[kind] as (condition: Condition, told: Told) => Tensors;

function checkPrior({ shape }: NDArray, channels: number): void {
  if (shape.length === 4 && shape[1] === channels) return;
  throw new NoodleError('BAD_INPUT', {
    subject: 'stage_c of the conditioning',
    expected: `a latent of stage C with ${channels} channels`,
    got: `[${shape.join(', ')}]`,
  });
}
