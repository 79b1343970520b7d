/** Nodes that make and change conditioning. */
import {
  clip,
  combo,
  conditioning,
  defineNode,
  boolean,
  float,
  image,
  int,
  mask,
  string,
  vae,
} from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { reshape } from '../engine/array/nd.ts';
import {
  encodePrompt,
  encodeScheduled,
  requireClip,
  withLastLayer,
} from '../engine/values/clip.ts';
import {
  averageConditioning,
  concatConditioning,
  multiplyConditioning,
  withValues,
  zeroOut,
} from '../engine/values/conditioning.ts';
import { encodeInpaintCondition } from '../engine/values/inpaint.ts';
import { cells } from '../engine/values/media.ts';
import { encodeParts } from '../engine/values/prompt-parts.ts';
import { promptRun } from './prompt-run.ts';

const maxResolution = 16384;
const CONDITIONING = [{ type: 'CONDITIONING' }];
const strength = float({ default: 1, min: 0, max: 10, step: 0.01 });
const prompt = string({ multiline: true, dynamicPrompts: true, tooltip: 'The prompt.' });
const textEncoder = clip({ tooltip: 'The text encoders of the model.' });
const base = { category: 'conditioning', module: 'nodes', form: 'v1' } as const;

export const clipTextEncode = defineNode({
  ...base,
  name: 'CLIPTextEncode',
  displayName: 'CLIP Text Encode (Prompt)',
  description: 'Encodes a prompt into what guides the diffusion model.',
  inputs: { text: prompt, clip: textEncoder },
  outputs: [{ type: 'CONDITIONING', tooltip: 'What guides the diffusion model.' }],
  async run({ text, clip: encoder }, context) {
    const run = promptRun(context);
    return [await encodeScheduled(encoder, (hooked) => encodePrompt(hooked, text, run))];
  },
});

const size = (value: number) => int({ default: value, min: 0, max: maxResolution });

export const clipTextEncodeSdxl = defineNode({
  name: 'CLIPTextEncodeSDXL',
  category: 'advanced/conditioning',
  module: 'comfy_extras.nodes_clip_sdxl',
  form: 'v3',
  inputs: {
    clip: clip(),
    width: size(1024),
    height: size(1024),
    crop_w: size(0),
    crop_h: size(0),
    target_width: size(1024),
    target_height: size(1024),
    text_g: string({ multiline: true, dynamicPrompts: true }),
    text_l: string({ multiline: true, dynamicPrompts: true }),
  },
  outputs: CONDITIONING,
  async run({ clip: encoder, text_g, text_l, ...sizes }, context) {
    const texts = { clip_g: text_g, clip_l: text_l };
    const run = promptRun(context);
    const options = { alike: Object.keys(texts) };
    const entries = await encodeScheduled(encoder, (hooked) =>
      encodeParts(hooked, texts, run, options),
    );
    return [withValues(entries, { extra: sizes })];
  },
});

export const clipTextEncodeSdxlRefiner = defineNode({
  name: 'CLIPTextEncodeSDXLRefiner',
  category: 'advanced/conditioning',
  module: 'comfy_extras.nodes_clip_sdxl',
  form: 'v3',
  inputs: {
    ascore: float({ default: 6, min: 0, max: 1000, step: 0.01 }),
    width: size(1024),
    height: size(1024),
    text: string({ multiline: true, dynamicPrompts: true }),
    clip: clip(),
  },
  outputs: CONDITIONING,
  async run({ ascore, width, height, text, clip: encoder }, context) {
    const run = promptRun(context);
    const entries = await encodeScheduled(encoder, (hooked) => encodePrompt(hooked, text, run));
    return [withValues(entries, { extra: { aesthetic_score: ascore, width, height } })];
  },
});

export const clipSetLastLayer = defineNode({
  ...base,
  name: 'CLIPSetLastLayer',
  displayName: 'CLIP Set Last Layer',
  inputs: {
    clip: clip(),
    stop_at_clip_layer: int({ default: -1, min: -24, max: -1, step: 1 }),
  },
  outputs: [{ type: 'CLIP' }],
  run: ({ clip: encoder, stop_at_clip_layer }) => [
    withLastLayer(requireClip(encoder), stop_at_clip_layer),
  ],
});

export const conditioningCombine = defineNode({
  ...base,
  name: 'ConditioningCombine',
  displayName: 'Conditioning (Combine)',
  inputs: { conditioning_1: conditioning(), conditioning_2: conditioning() },
  outputs: CONDITIONING,
  run: ({ conditioning_1, conditioning_2 }) => [[...conditioning_1, ...conditioning_2]],
});

export const conditioningAverage = defineNode({
  ...base,
  name: 'ConditioningAverage',
  displayName: 'ConditioningAverage',
  inputs: {
    conditioning_to: conditioning(),
    conditioning_from: conditioning(),
    conditioning_to_strength: float({ default: 1, min: 0, max: 1, step: 0.01 }),
  },
  outputs: CONDITIONING,
  run: ({ conditioning_to, conditioning_from, conditioning_to_strength }) => [
    averageConditioning(conditioning_to, conditioning_from, conditioning_to_strength),
  ],
});

export const conditioningConcat = defineNode({
  ...base,
  name: 'ConditioningConcat',
  displayName: 'Conditioning (Concat)',
  inputs: { conditioning_to: conditioning(), conditioning_from: conditioning() },
  outputs: CONDITIONING,
  run: ({ conditioning_to, conditioning_from }) => [
    concatConditioning(conditioning_to, conditioning_from),
  ],
});

const pixels = (min: number) => int({ default: min, min, max: maxResolution, step: 8 });

export const conditioningSetArea = defineNode({
  ...base,
  name: 'ConditioningSetArea',
  displayName: 'Conditioning (Set Area)',
  inputs: {
    conditioning: conditioning(),
    width: pixels(64),
    height: pixels(64),
    x: pixels(0),
    y: pixels(0),
    strength,
  },
  outputs: CONDITIONING,
  run: ({ conditioning: entries, width, height, x, y, strength: weight }) => [
    withValues(entries, {
      area: { kind: 'cells', height: cells(height), width: cells(width), y: cells(y), x: cells(x) },
      strength: weight,
      setAreaToBounds: false,
    }),
  ],
});

/** Part of the picture; the reference prints these bounds as integers. */
const part = (value: number) =>
  float({ default: value === 0 ? 0n : value, min: 0n, max: 1, step: 0.01 });

export const conditioningSetAreaPercentage = defineNode({
  ...base,
  name: 'ConditioningSetAreaPercentage',
  displayName: 'Conditioning (Set Area with Percentage)',
  inputs: {
    conditioning: conditioning(),
    width: part(1),
    height: part(1),
    x: part(0),
    y: part(0),
    strength,
  },
  outputs: CONDITIONING,
  run: ({ conditioning: entries, width, height, x, y, strength: weight }) => [
    withValues(entries, {
      area: { kind: 'percentage', height, width, y, x },
      strength: weight,
      setAreaToBounds: false,
    }),
  ],
});

export const conditioningSetAreaPercentageVideo = defineNode({
  name: 'ConditioningSetAreaPercentageVideo',
  displayName: 'ConditioningSetAreaPercentageVideo',
  category: 'conditioning',
  module: 'comfy_extras.nodes_video_model',
  form: 'v1',
  inputs: {
    conditioning: conditioning(),
    width: part(1),
    height: part(1),
    temporal: part(1),
    x: part(0),
    y: part(0),
    z: part(0),
    strength,
  },
  outputs: CONDITIONING,
  run: ({ conditioning: entries, strength: weight, temporal, z, ...place }) => [
    withValues(entries, {
      area: { kind: 'percentage', ...place, time: { length: temporal, start: z } },
      strength: weight,
      setAreaToBounds: false,
    }),
  ],
});

export const conditioningSetAreaStrength = defineNode({
  ...base,
  name: 'ConditioningSetAreaStrength',
  displayName: 'ConditioningSetAreaStrength',
  inputs: { conditioning: conditioning(), strength },
  outputs: CONDITIONING,
  run: ({ conditioning: entries, strength: weight }) => [withValues(entries, { strength: weight })],
});

export const conditioningSetMask = defineNode({
  ...base,
  name: 'ConditioningSetMask',
  displayName: 'Conditioning (Set Mask)',
  inputs: {
    conditioning: conditioning(),
    mask: mask(),
    strength,
    set_cond_area: combo(['default', 'mask bounds']),
  },
  outputs: CONDITIONING,
  run: ({ conditioning: entries, mask: region, strength: weight, set_cond_area }) => [
    withValues(entries, {
      mask: region.shape.length < 3 ? reshape(region, [1, ...region.shape]) : region,
      maskStrength: weight,
      setAreaToBounds: set_cond_area !== 'default',
    }),
  ],
});

export const conditioningMultiply = defineNode({
  ...base,
  name: 'ConditioningMultiply',
  displayName: 'Conditioning (Multiply)',
  category: 'model/conditioning/transform',
  inputs: {
    conditioning: conditioning(),
    multiplier: float({ default: 1, min: -100, max: 100, step: 0.01 }),
  },
  outputs: CONDITIONING,
  run: ({ conditioning: entries, multiplier }) => [multiplyConditioning(entries, multiplier)],
});

export const conditioningZeroOut = defineNode({
  ...base,
  name: 'ConditioningZeroOut',
  displayName: 'ConditioningZeroOut',
  category: 'advanced/conditioning',
  inputs: { conditioning: conditioning() },
  outputs: CONDITIONING,
  run: ({ conditioning: entries }) => [zeroOut(entries)],
});

export const conditioningSetTimestepRange = defineNode({
  ...base,
  name: 'ConditioningSetTimestepRange',
  displayName: 'ConditioningSetTimestepRange',
  category: 'advanced/conditioning',
  inputs: {
    conditioning: conditioning(),
    start: float({ default: 0, min: 0, max: 1, step: 0.001 }),
    end: float({ default: 1, min: 0, max: 1, step: 0.001 }),
  },
  outputs: CONDITIONING,
  run: ({ conditioning: entries, start, end }) => [
    withValues(entries, { startPercent: start, endPercent: end }),
  ],
});

export const inpaintModelConditioning = defineNode({
  ...base,
  name: 'InpaintModelConditioning',
  displayName: 'InpaintModelConditioning',
  category: 'conditioning/inpaint',
  inputs: {
    positive: conditioning(),
    negative: conditioning(),
    vae: vae(),
    pixels: image(),
    mask: mask(),
    noise_mask: boolean({ default: true, tooltip: 'Keep everything outside the mask as it is.' }),
  },
  outputs: [
    { type: 'CONDITIONING', name: 'positive' },
    { type: 'CONDITIONING', name: 'negative' },
    { type: 'LATENT', name: 'latent' },
  ],
  async run({ positive, negative, vae: model, pixels: pictures, mask: region, ...rest }, context) {
    const run = { runtime: context.services.runtime, signal: context.signal };
    const { samples, ...extra } = await encodeInpaintCondition(model, pictures, region, run);
    const latent = rest.noise_mask ? { samples, noise_mask: extra.concatMask } : { samples };
    return [withValues(positive, extra), withValues(negative, extra), latent];
  },
});

export const conditioningNodes: readonly NodeDefinition[] = [
  clipTextEncode,
  clipSetLastLayer,
  conditioningAverage,
  conditioningCombine,
  conditioningConcat,
  conditioningSetArea,
  conditioningSetAreaPercentage,
  conditioningSetAreaPercentageVideo,
  conditioningSetAreaStrength,
  conditioningSetMask,
  conditioningMultiply,
  conditioningZeroOut,
  conditioningSetTimestepRange,
  inpaintModelConditioning,
  clipTextEncodeSdxl,
  clipTextEncodeSdxlRefiner,
];
