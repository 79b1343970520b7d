/** Conditioning that only certain families of models read: sizes, guidance, pictures to change. */
import { map } from '../engine/array/elementwise.ts';
import { channelsFirst } from '../engine/array/layout.ts';
import { zeros } from '../engine/array/nd.ts';
import { commonUpscale, upscaleImage } from '../engine/array/resize.ts';
import { roundHalfEven } from '../engine/array/round.ts';
import { NoodleError } from '../engine/errors.ts';
import {
  clip,
  combo,
  conditioning,
  defineNode,
  float,
  image,
  inModule,
  int,
  latent,
  optional,
  string,
  vae,
} from '../engine/node.ts';
import type { Conditioning, NodeDefinition } from '../engine/node.ts';
import { encodePrompt } from '../engine/values/clip.ts';
import { appendExtra, withExtra, withValues } from '../engine/values/conditioning.ts';
import { pixelsPerCell } from '../engine/values/media.ts';
import { promptRun } from './prompt-run.ts';

const CONDITIONING = [{ type: 'CONDITIONING' }];
const POSITIVE_NEGATIVE = [
  { type: 'CONDITIONING', name: 'positive' },
  { type: 'CONDITIONING', name: 'negative' },
];
const WITH_LATENT = [...POSITIVE_NEGATIVE, { type: 'LATENT', name: 'latent' }];

/** Pixels a side of an x4 upscaler's latent cell. */
const upscalerCell = 4;

/** Every entry with more for its model to read. */
const all = (entries: Conditioning, extra: Readonly<Record<string, unknown>>): Conditioning =>
  entries.map((entry) => withExtra(entry, extra));

const flux = inModule('comfy_extras.nodes_flux', 'v3', {
  category: 'advanced/conditioning/flux',
  outputs: CONDITIONING,
});

export const fluxGuidance = flux({
  name: 'FluxGuidance',
  inputs: {
    conditioning: conditioning({}),
    guidance: float({ default: 3.5, min: 0, max: 100, step: 0.1 }),
  },
  run: ({ conditioning: entries, guidance }) => [all(entries, { guidance })],
});

export const fluxDisableGuidance = flux({
  name: 'FluxDisableGuidance',
  description: 'Turns the guidance embedding of Flux and its kin off.',
  inputs: { conditioning: conditioning({}) },
  run: ({ conditioning: entries }) => [all(entries, { guidance: null })],
});

/** Sizes that Flux Kontext was trained on: the wide ones are these turned. */
const kontextSides = [
  [672, 1568],
  [688, 1504],
  [720, 1456],
  [752, 1392],
  [800, 1328],
  [832, 1248],
  [880, 1184],
  [944, 1104],
] as const;
const kontextSizes: readonly (readonly [width: number, height: number])[] = [
  ...kontextSides,
  [1024, 1024],
  ...kontextSides.map(([short, long]) => [long, short] as const).reverse(),
];

export const fluxKontextImageScale = flux({
  name: 'FluxKontextImageScale',
  description: 'Scales a picture to the nearest shape that Flux Kontext was trained on.',
  inputs: { image: image({}) },
  outputs: [{ type: 'IMAGE' }],
  run({ image: pictures }) {
    const [, height, width] = pictures.shape;
    const distance = ([w, h]: readonly [number, number]) => Math.abs(width / height - w / h);
    const [w, h] = kontextSizes.reduce((best, size) =>
      distance(size) < distance(best) ? size : best,
    );
    return [upscaleImage(pictures, w, h, 'lanczos', 'center')];
  },
});

export const fluxKontextMethod = flux({
  name: 'FluxKontextMultiReferenceLatentMethod',
  description: 'Where the network places reference latents among the positions of the picture.',
  experimental: true,
  inputs: {
    conditioning: conditioning({}),
    reference_latents_method: combo(['offset', 'index', 'uxo/uno'], { multiselect: false }),
  },
  run({ conditioning: entries, reference_latents_method }) {
    const method = reference_latents_method === 'uxo/uno' ? 'uxo' : reference_latents_method;
    return [all(entries, { reference_latents_method: method })];
  },
});

export const referenceLatent = defineNode({
  name: 'ReferenceLatent',
  category: 'advanced/conditioning/edit_models',
  description: 'Shows a latent to a model that edits pictures. Several in a row show several.',
  module: 'comfy_extras.nodes_edit_model',
  form: 'v3',
  inputs: { conditioning: conditioning({}), latent: optional(latent({})) },
  outputs: CONDITIONING,
  run({ conditioning: entries, latent: reference }) {
    if (!reference) return [entries];
    const add = (entry: Conditioning[number]) =>
      appendExtra(entry, 'reference_latents', reference.samples);
    return [entries.map(add)];
  },
});

export const instructPixToPixConditioning = defineNode({
  name: 'InstructPixToPixConditioning',
  category: 'conditioning/instructpix2pix',
  description: 'Shows a model that follows instructions the picture it is to change.',
  module: 'comfy_extras.nodes_ip2p',
  form: 'v3',
  inputs: {
    positive: conditioning({}),
    negative: conditioning({}),
    vae: vae({}),
    pixels: image({}),
  },
  outputs: WITH_LATENT,
  async run({ positive, negative, vae: model, pixels }, { services, signal }) {
    const { cropToFactor, encode } = await import('../engine/values/vae.ts');
    const run = { runtime: services.runtime, signal };
    const concatLatent = await encode(model, cropToFactor(pixels, pixelsPerCell), run);
    const samples = zeros(concatLatent.shape);
    const both = [positive, negative].map((entries) => withValues(entries, { concatLatent }));
    return [...both, { samples }];
  },
});

export const upscaleConditioning = defineNode({
  name: 'SD_4XUpscale_Conditioning',
  category: 'conditioning/upscale_diffusion',
  description:
    'Shows an x4 upscaler the small picture, noised a little where it may invent detail.',
  module: 'comfy_extras.nodes_sdupscale',
  form: 'v3',
  inputs: {
    images: image({}),
    positive: conditioning({}),
    negative: conditioning({}),
    scale_ratio: float({ default: 4, min: 0, max: 10, step: 0.01 }),
    noise_augmentation: float({ default: 0, min: 0, max: 1, step: 0.001 }),
  },
  outputs: WITH_LATENT,
  run({ images, positive, negative, scale_ratio, noise_augmentation }) {
    const [count, ...sides] = images.shape;
    const [height, width] = sides
      .slice(0, 2)
      .map((side) => Math.floor(roundHalfEven(side * scale_ratio) / upscalerCell));
    if (height === 0 || width === 0) {
      const expected = `a picture of at least ${upscalerCell} x ${upscalerCell} pixels`;
      const got = `a scale_ratio of ${scale_ratio} for ${sides[1]} x ${sides[0]} pixels`;
      throw new NoodleError('BAD_INPUT', { subject: 'the upscaled size', expected, got });
    }
    const signed = map(channelsFirst(images), (value) => Math.fround(value * 2) - 1);
    const concat_image = commonUpscale(signed, width, height, 'bilinear', 'center');
    const shown = { concat_image, noise_augmentation };
    const samples = zeros([count, 4, height, width]);
    return [all(positive, shown), all(negative, shown), { samples }];
  },
});

export const cascadeStageB = defineNode({
  name: 'StableCascade_StageB_Conditioning',
  category: 'conditioning/stable_cascade',
  module: 'comfy_extras.nodes_stable_cascade',
  form: 'v3',
  inputs: { conditioning: conditioning({}), stage_c: latent({}) },
  outputs: CONDITIONING,
  run: ({ conditioning: entries, stage_c }) => [
    all(entries, { stable_cascade_prior: stage_c.samples }),
  ],
});

export const ltxvConditioning = defineNode({
  name: 'LTXVConditioning',
  category: 'conditioning/video_models',
  module: 'comfy_extras.nodes_lt',
  form: 'v3',
  inputs: {
    positive: conditioning({}),
    negative: conditioning({}),
    frame_rate: float({ default: 25, min: 0, max: 1000, step: 0.01 }),
  },
  outputs: POSITIVE_NEGATIVE,
  run: ({ positive, negative, frame_rate }) => [
    all(positive, { frame_rate }),
    all(negative, { frame_rate }),
  ],
});

export const clipTextEncodePixArtAlpha = defineNode({
  name: 'CLIPTextEncodePixArtAlpha',
  category: 'advanced/conditioning',
  description:
    'Encodes a prompt with the size of the picture, which PixArt Alpha (not Sigma) reads.',
  module: 'comfy_extras.nodes_pixart',
  form: 'v3',
  inputs: {
    width: int({ default: 1024, min: 0, max: 16384 }),
    height: int({ default: 1024, min: 0, max: 16384 }),
    text: string({ multiline: true, dynamicPrompts: true }),
    clip: clip({}),
  },
  outputs: CONDITIONING,
  async run({ width, height, text, clip: encoder }, context) {
    const entry = await encodePrompt(encoder, text, promptRun(context));
    return [[withExtra(entry, { width, height })]];
  },
});

export const clipTextEncodeControlnet = defineNode({
  name: 'CLIPTextEncodeControlnet',
  category: '_for_testing/conditioning',
  description: 'Gives ControlNets a prompt of their own.',
  module: 'comfy_extras.nodes_cond',
  form: 'v3',
  experimental: true,
  inputs: {
    clip: clip({}),
    conditioning: conditioning({}),
    text: string({ multiline: true, dynamicPrompts: true }),
  },
  outputs: CONDITIONING,
  async run({ clip: encoder, conditioning: entries, text }, context) {
    const { cross } = await encodePrompt(encoder, text, promptRun(context));
    return [withValues(entries, { crossControl: cross })];
  },
});

/** Channels of the latent that the refiner starts from, as the reference makes it; sampling repeats them. */
const refinerChannels = 32;

export const hunyuanRefinerLatent = defineNode({
  name: 'HunyuanRefinerLatent',
  displayName: 'HunyuanRefinerLatent',
  category: 'sd',
  description: "A picture's latent as what HunyuanImage's refiner draws anew, from noise.",
  module: 'comfy_extras.nodes_hunyuan',
  form: 'v1',
  inputs: {
    positive: conditioning(),
    negative: conditioning(),
    latent: latent(),
    noise_augmentation: float({ default: 0.1, min: 0, max: 1, step: 0.01 }),
  },
  outputs: WITH_LATENT,
  run({ positive, negative, latent: { samples: concatLatent }, noise_augmentation }) {
    const { shape } = concatLatent;
    if (shape.length !== 5) {
      throw new NoodleError('BAD_INPUT', {
        subject: 'the latent to refine',
        expected:
          "frames [batch, channels, frames, height, width], as the refiner's own VAE makes them",
        got: `[${shape.join(', ')}]`,
      });
    }
    const [batch, , ...sides] = shape;
    const both = [positive, negative].map((entries) =>
      withValues(all(entries, { noise_augmentation }), { concatLatent }),
    );
    return [...both, { samples: zeros([batch, refinerChannels, ...sides]) }];
  },
});

export const modelConditioningNodes: readonly NodeDefinition[] = [
  fluxGuidance,
  fluxDisableGuidance,
  fluxKontextImageScale,
  fluxKontextMethod,
  referenceLatent,
  instructPixToPixConditioning,
  upscaleConditioning,
  cascadeStageB,
  hunyuanRefinerLatent,
  ltxvConditioning,
  clipTextEncodePixArtAlpha,
  clipTextEncodeControlnet,
];
