/** `sample` and `first_sample`: the pictures that show how far the adapter is. */
import { type Choice, choice, flag, listOf, mapping, real, text, whole } from '../readers.ts';
import {
  type Reader,
  type Rows,
  type Values,
  each,
  ignored,
  key,
  optional,
  refused,
} from '../row.ts';

const CONTROL = 'samples are made from their prompts alone';
const FILMS = 'samples are pictures';

/** Upstream's samplers -> ours; others are sampled by euler. */
const otherSamplers: Readonly<Record<string, Choice>> = {
  euler_a: { becomes: 'euler_ancestral' },
  flowmatch: { becomes: 'euler' },
  'dpmsolver++': { becomes: 'dpmpp_2m' },
  dpmsolver: { becomes: 'dpmpp_2m', why: 'the nearest sampler here' },
  '*': { becomes: 'euler', why: 'the nearest sampler here' },
};

/** A side in pixels: a multiple of 8, at least 64. */
const side: Reader<number> = (given, at, found) => {
  const read = real(1, 65536)(given, at, found);
  return Math.max(64, Math.floor(read / 8) * 8);
};

/** A negative prompt; false is none. */
const negative: Reader<string> = (given, at, found) =>
  given === false ? '' : text(given, at, found);

/** -1 draws one. */
const seed = whole(-1);

const drawing = {
  width: side,
  height: side,
  neg: negative,
  seed,
  guidance_scale: real(),
  sample_steps: whole(1, 10_000),
  guidance_rescale: real(),
  network_multiplier: real(),
};

const elsewhere = {
  ...each(refused(CONTROL), ['ctrl_img*', 'ctrl_idx', 'extra_values']),
  adapter_conditioning_scale: ignored('there is no such adapter', 1),
  refiner_start_at: ignored('there is no refiner', 0.5),
  do_cfg_norm: refused('guidance is not normalised'),
  num_frames: refused(FILMS, 1),
  fps: ignored(FILMS, 16),
} satisfies Rows;

/** What one sample may say for itself. */
export const promptRows = {
  prompt: key(text, ''),
  width: optional(drawing.width),
  height: optional(drawing.height),
  neg: optional(drawing.neg),
  seed: optional(drawing.seed),
  guidance_scale: optional(drawing.guidance_scale),
  sample_steps: optional(drawing.sample_steps),
  guidance_rescale: optional(drawing.guidance_rescale),
  network_multiplier: optional(drawing.network_multiplier),
  prompt_2: ignored('every text encoder reads the same prompt'),
  neg_2: ignored('every text encoder reads the same prompt'),
  ...elsewhere,
} satisfies Rows;

export const sampleRows = {
  sampler: key(
    choice(['ddpm', 'ddim', 'euler', 'euler_ancestral', 'dpmpp_2m'], otherSamplers),
    'ddpm',
  ),
  sample_every: key(whole(1), 100),
  sample_start_step: key(whole(), 0),
  width: key(drawing.width, 512),
  height: key(drawing.height, 512),
  neg: key(drawing.neg, ''),
  seed: key(drawing.seed, 0),
  walk_seed: key(flag, false),
  guidance_scale: key(drawing.guidance_scale, 7),
  sample_steps: key(drawing.sample_steps, 20),
  guidance_rescale: key(drawing.guidance_rescale, 0),
  network_multiplier: key(drawing.network_multiplier, 1),
  format: key(
    choice<'jpg' | 'png' | 'webp'>(['jpg', 'png', 'webp'], { jpeg: { becomes: 'jpg' } }),
    'jpg',
  ),
  prompts: key(listOf(text), []),
  samples: key(listOf(mapping), []),
  ...elsewhere,
} satisfies Rows;

/** One picture to make. */
export interface Sample {
  readonly prompt: string;
  readonly negative: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** 'random': another one every time. */
  readonly seed: number | 'random';
  readonly guidanceScale: number;
  readonly sampleSteps: number;
  readonly guidanceRescale: number;
  /** Strength of the adapter. */
  readonly networkMultiplier: number;
}

/** When samples are made, how, and which. */
export interface SampleSettings extends Pick<
  Values<typeof sampleRows>,
  'sampler' | 'sampleEvery' | 'sampleStartStep' | 'format'
> {
  readonly samples: readonly Sample[];
}
