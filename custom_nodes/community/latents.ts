/** Empty latents in listed sizes, conditionings combined, and nodes that only hand on. */
import {
  boolean,
  combo,
  concat,
  conditioning,
  float,
  image,
  int,
  latent,
  model,
  optional,
  zeros,
} from 'noodle/node';
import type { Conditioning, Latent, NodeDefinition } from 'noodle/node';
import { MAX_RESOLUTION, anything, inCategory, numbered } from './define.ts';

/** A latent of SD's form: 4 channels, a cell for 8 x 8 pixels. */
const emptyLatent = (width: number, height: number, batch: number): Latent => ({
  samples: zeros([batch, 4, Math.floor(height / 8), Math.floor(width / 8)]),
});

/** `1344 x 768 (1.75:1)`, `704x1408 (0.5)` as numbers. */
function sizeOf(text: string): [width: number, height: number] {
  const [width, height] = text.match(/\d+/g)!.map(Number);
  return [width, height];
}

const PRESETS = [
  ...['512 x 512 (1:1)', '768 x 512 (1.5:1)', '960 x 512 (1.875:1)', '1024 x 512 (2:1)'],
  ...['1024 x 576 (1.778:1)', '1536 x 640 (2.4:1)', '1344 x 768 (1.75:1)'],
  ...['1216 x 832 (1.46:1)', '1152 x 896 (1.286:1)', '1024 x 1024 (1:1)'],
];

const SDXL_SIZES = [
  ...['704x1408 (0.5)', '704x1344 (0.52)', '768x1344 (0.57)', '768x1280 (0.6)', '832x1216 (0.68)'],
  ...['832x1152 (0.72)', '896x1152 (0.78)', '896x1088 (0.82)', '960x1088 (0.88)'],
  ...['960x1024 (0.94)', '1024x1024 (1.0)', '1024x960 (1.07)', '1088x960 (1.13)'],
  ...['1088x896 (1.21)', '1152x896 (1.29)', '1152x832 (1.38)', '1216x832 (1.46)'],
  ...['1280x768 (1.67)', '1344x768 (1.75)', '1344x704 (1.91)', '1408x704 (2.0)'],
  ...['1472x704 (2.09)', '1536x640 (2.4)', '1600x640 (2.5)', '1664x576 (2.89)', '1728x576 (3.0)'],
];

const RGTHREE_SIZES = [
  ...['1536 x 640   (landscape)', '1344 x 768   (landscape)', '1216 x 832   (landscape)'],
  ...['1152 x 896   (landscape)', '1024 x 1024  (square)', ' 896 x 1152  (portrait)'],
  ...[' 832 x 1216  (portrait)', ' 768 x 1344  (portrait)', ' 640 x 1536  (portrait)'],
];

const outputs = (latent: string, width: string, height: string) => [
  { type: 'LATENT', name: latent },
  { type: 'INT', name: width },
  { type: 'INT', name: height },
];

const emptyLatents: readonly NodeDefinition[] = [
  inCategory('KJNodes/latents')({
    name: 'EmptyLatentImagePresets',
    displayName: 'Empty Latent Image Presets',
    inputs: {
      dimensions: combo(PRESETS, { default: '512 x 512 (1:1)' }),
      invert: boolean({ default: false }),
      batch_size: int({ default: 1, min: 1, max: 4096 }),
    },
    outputs: outputs('Latent', 'Width', 'Height'),
    run({ dimensions, invert, batch_size }) {
      const size = sizeOf(dimensions);
      const [width, height] = invert ? size.reverse() : size;
      return [emptyLatent(width, height, batch_size), width, height];
    },
  }),
  inCategory('essentials/utilities')({
    name: 'SDXLEmptyLatentSizePicker+',
    displayName: '🔧 Empty Latent Size Picker',
    inputs: {
      resolution: combo(SDXL_SIZES, { default: '1024x1024 (1.0)' }),
      batch_size: int({ default: 1, min: 1, max: 4096 }),
      width_override: int({ default: 0, min: 0, max: MAX_RESOLUTION, step: 8 }),
      height_override: int({ default: 0, min: 0, max: MAX_RESOLUTION, step: 8 }),
    },
    outputs: outputs('LATENT', 'width', 'height'),
    run({ resolution, batch_size, width_override, height_override }) {
      const size = sizeOf(resolution);
      const [width, height] = [width_override || size[0], height_override || size[1]];
      return [emptyLatent(width, height, batch_size), width, height];
    },
  }),
  inCategory('rgthree')({
    name: 'SDXL Empty Latent Image (rgthree)',
    inputs: {
      dimensions: combo(RGTHREE_SIZES, { default: '1024 x 1024  (square)' }),
      clip_scale: float({ default: 2, min: 1, max: 10, step: 0.5 }),
      batch_size: int({ default: 1, min: 1, max: 64 }),
    },
    outputs: outputs('LATENT', 'CLIP_WIDTH', 'CLIP_HEIGHT'),
    run({ dimensions, clip_scale, batch_size }) {
      const [width, height] = sizeOf(dimensions);
      const scaled = [width, height].map((n) => Math.trunc(n * clip_scale));
      return [emptyLatent(width, height, batch_size), ...scaled];
    },
  }),
  inCategory('essentials/utilities')({
    name: 'RemoveLatentMask+',
    displayName: '🔧 Remove Latent Mask',
    inputs: { samples: latent() },
    outputs: [{ type: 'LATENT' }],
    run: ({ samples: { noise_mask: _, ...rest } }) => [rest],
  }),
];

/** ComfyUI's Conditioning (Concat): the first entry of `from` behind the tokens of each of `to`. */
const appended = (to: Conditioning, [from]: Conditioning): Conditioning =>
  to.map((entry) => ({ ...entry, cross: concat([entry.cross, from.cross], 1) }));

const conditionings: readonly NodeDefinition[] = [
  inCategory('KJNodes/masking/conditioning')({
    name: 'ConditioningMultiCombine',
    displayName: 'Conditioning Multi Combine',
    inputs: {
      inputcount: int({ default: 2, min: 2, max: 20, step: 1 }),
      operation: combo(['combine', 'concat'] as const, { default: 'combine' }),
      conditioning_1: conditioning(),
      conditioning_2: conditioning(),
    },
    acceptAllInputs: true,
    outputs: [
      { type: 'CONDITIONING', name: 'combined' },
      { type: 'INT', name: 'inputcount' },
    ],
    run({ inputcount, operation, ...rest }) {
      const given = numbered(rest, 'conditioning_');
      const all = Array.from({ length: inputcount }, (_, i) => {
        const one = given.get(i + 1) as Conditioning | undefined;
        if (one !== undefined) return one;
        throw new RangeError(`conditioning_${i + 1}: expected a link, got none`);
      });
      return [operation === 'combine' ? all.flat() : all.reduce(appended), inputcount];
    },
  }),
];

const passing: readonly NodeDefinition[] = [
  inCategory('EasyUse/Logic')({
    name: 'easy cleanGpuUsed',
    displayName: 'Clean VRAM Used',
    description: 'Hands its input on; memory is given back without being asked.',
    inputs: { anything: anything() },
    outputs: [{ type: '*', name: 'output' }],
    outputNode: true,
    run: ({ anything }) => [anything],
  }),
  inCategory('KJNodes/memory')({
    name: 'VRAM_Debug',
    displayName: 'VRAM Debug',
    description: 'Hands its inputs on; memory is given back without being asked.',
    inputs: {
      empty_cache: boolean({ default: true }),
      gc_collect: boolean({ default: true }),
      unload_all_models: boolean({ default: false }),
      any_input: optional(anything()),
      image_pass: optional(image()),
      model_pass: optional(model()),
    },
    outputs: [
      { type: '*', name: 'any_output' },
      { type: 'IMAGE', name: 'image_pass' },
      { type: 'MODEL', name: 'model_pass' },
      { type: 'INT', name: 'freemem_before' },
      { type: 'INT', name: 'freemem_after' },
    ],
    run: ({ any_input = null, image_pass = null, model_pass = null }) => [
      ...[any_input, image_pass, model_pass],
      ...[0, 0],
    ],
  }),
];

export const latentNodes: readonly NodeDefinition[] = [
  ...emptyLatents,
  ...conditionings,
  ...passing,
];
