/** Latents made, scaled, turned, joined and cut. */
import { concat, repeatToBatch, sliceAxis } from '../engine/array/batch.ts';
import { add, axpby, scale, sub } from '../engine/array/elementwise.ts';
import {
  interpolateLatents,
  matchLatent,
  matchLatentSize,
  pasteFeathered,
} from '../engine/array/latent-math.ts';
import { sameShape, zeros } from '../engine/array/nd.ts';
import { cropPlanes, pasteMasked } from '../engine/array/rectangle.ts';
import { commonUpscale } from '../engine/array/resize.ts';
import { roundHalfEven, roundToInteger } from '../engine/array/round.ts';
import { flipAxis, rotateClockwise } from '../engine/array/turn.ts';
import { boolean, combo, defineNode, float, int, latent, mask, optional } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import {
  joinLatents,
  latentFromBatch,
  rebatchLatents,
  repeatLatent,
} from '../engine/values/latent-batch.ts';
import { cells, pixelsPerCell } from '../engine/values/media.ts';

const MAX = 16384;
const METHODS = ['nearest-exact', 'bilinear', 'area', 'bicubic', 'bislerp'] as const;
const CROPS = ['disabled', 'center'] as const;

const core = { module: 'nodes', form: 'v1', outputs: [{ type: 'LATENT' }] } as const;
const extra = {
  module: 'comfy_extras.nodes_latent',
  form: 'v3',
  outputs: [{ type: 'LATENT' }],
} as const;
const anyLatent = latent({});
const pixels = (min: number, fallback: number) =>
  int({ default: fallback, min, max: MAX, step: 8 });

export const emptyLatentImage = defineNode({
  ...core,
  name: 'EmptyLatentImage',
  displayName: 'Empty Latent Image',
  category: 'latent',
  description: 'A batch of empty latent images to be denoised by a sampler.',
  inputs: {
    width: pixels(16, 512),
    height: pixels(16, 512),
    batch_size: int({ default: 1, min: 1, max: 4096 }),
  },
  run: ({ width, height, batch_size }) => [
    { samples: zeros([batch_size, 4, cells(height), cells(width)]) },
  ],
});

export const latentUpscale = defineNode({
  ...core,
  name: 'LatentUpscale',
  displayName: 'Upscale Latent',
  category: 'latent',
  inputs: {
    samples: latent(),
    upscale_method: combo(METHODS),
    width: pixels(0, 512),
    height: pixels(0, 512),
    crop: combo(CROPS),
  },
  run: ({ samples, upscale_method, width, height, crop }) => {
    if (width === 0 && height === 0) return [samples];
    const [h, w] = samples.samples.shape.slice(-2);
    // One side 0 keeps the aspect ratio; the other is taken as it is.
    const [wide, high] = [
      Math.max(64, width || roundHalfEven((w * Math.max(64, height)) / h)),
      Math.max(64, height || roundHalfEven((h * Math.max(64, width)) / w)),
    ].map(cells);
    return [
      { ...samples, samples: commonUpscale(samples.samples, wide, high, upscale_method, crop) },
    ];
  },
});

export const latentUpscaleBy = defineNode({
  ...core,
  name: 'LatentUpscaleBy',
  displayName: 'Upscale Latent By',
  category: 'latent',
  inputs: {
    samples: latent(),
    upscale_method: combo(METHODS),
    scale_by: float({ default: 1.5, min: 0.01, max: 8, step: 0.01 }),
  },
  run: ({ samples, upscale_method, scale_by }) => {
    const [height, width] = samples.samples.shape
      .slice(-2)
      .map((v) => roundToInteger(v * scale_by));
    const scaled = commonUpscale(samples.samples, width, height, upscale_method, 'disabled');
    return [{ ...samples, samples: scaled }];
  },
});

export const latentFromBatchNode = defineNode({
  ...core,
  name: 'LatentFromBatch',
  displayName: 'Latent From Batch',
  category: 'latent/batch',
  inputs: {
    samples: latent(),
    batch_index: int({ default: 0, min: 0, max: 63 }),
    length: int({ default: 1, min: 1, max: 64 }),
  },
  run: ({ samples, batch_index, length }) => [latentFromBatch(samples, batch_index, length)],
});

export const repeatLatentBatch = defineNode({
  ...core,
  name: 'RepeatLatentBatch',
  displayName: 'Repeat Latent Batch',
  category: 'latent/batch',
  inputs: { samples: latent(), amount: int({ default: 1, min: 1, max: 64 }) },
  run: ({ samples, amount }) => [repeatLatent(samples, amount)],
});

export const latentComposite = defineNode({
  ...core,
  name: 'LatentComposite',
  displayName: 'Latent Composite',
  category: 'latent',
  inputs: {
    samples_to: latent(),
    samples_from: latent(),
    x: pixels(0, 0),
    y: pixels(0, 0),
    feather: pixels(0, 0),
  },
  run: ({ samples_to, samples_from, x, y, feather }) => {
    const at = { x: cells(x), y: cells(y), feather: cells(feather) };
    return [
      { ...samples_to, samples: pasteFeathered(samples_to.samples, samples_from.samples, at) },
    ];
  },
});

export const latentBlend = defineNode({
  ...core,
  name: 'LatentBlend',
  displayName: 'Latent Blend',
  category: '_for_testing',
  inputs: {
    samples1: latent(),
    samples2: latent(),
    // bigint: the reference prints these two bounds as whole numbers
    blend_factor: float({ default: 0.5, min: 0n, max: 1n, step: 0.01 }),
  },
  run: ({ samples1, samples2, blend_factor }) => {
    const a = samples1.samples;
    const [h, w] = a.shape.slice(-2);
    const b = sameShape(a.shape, samples2.samples.shape)
      ? samples2.samples
      : commonUpscale(samples2.samples, w, h, 'bicubic', 'center');
    const whole = repeatToBatch(b, a.shape[0]);
    return [{ ...samples1, samples: axpby(blend_factor, a, 1 - blend_factor, whole) }];
  },
});

export const latentRotate = defineNode({
  ...core,
  name: 'LatentRotate',
  displayName: 'Rotate Latent',
  category: 'latent/transform',
  inputs: {
    samples: latent(),
    rotation: combo(['none', '90 degrees', '180 degrees', '270 degrees']),
  },
  run: ({ samples, rotation }) => {
    const rank = samples.samples.shape.length;
    const turns = (Number.parseInt(rotation) || 0) / 90;
    const axes = { y: rank - 2, x: rank - 1 };
    return [{ ...samples, samples: rotateClockwise(samples.samples, turns, axes) }];
  },
});

export const latentFlip = defineNode({
  ...core,
  name: 'LatentFlip',
  displayName: 'Flip Latent',
  category: 'latent/transform',
  inputs: {
    samples: latent(),
    flip_method: combo(['x-axis: vertically', 'y-axis: horizontally']),
  },
  run: ({ samples, flip_method }) => {
    const axis = samples.samples.shape.length - (flip_method.startsWith('x') ? 2 : 1);
    return [{ ...samples, samples: flipAxis(samples.samples, axis) }];
  },
});

export const latentCrop = defineNode({
  ...core,
  name: 'LatentCrop',
  displayName: 'Crop Latent',
  category: 'latent/transform',
  inputs: {
    samples: latent(),
    width: pixels(64, 512),
    height: pixels(64, 512),
    x: pixels(0, 0),
    y: pixels(0, 0),
  },
  run: ({ samples, width, height, x, y }) => {
    const [h, w] = samples.samples.shape.slice(-2);
    const rectangle = {
      // At least 8 cells must remain.
      left: Math.max(0, Math.min(cells(x), w - 8)),
      top: Math.max(0, Math.min(cells(y), h - 8)),
      width: cells(width),
      height: cells(height),
    };
    return [{ ...samples, samples: cropPlanes(samples.samples, rectangle) }];
  },
});

export const latentAdd = defineNode({
  ...extra,
  name: 'LatentAdd',
  category: 'latent/advanced',
  inputs: { samples1: anyLatent, samples2: anyLatent },
  run: ({ samples1, samples2 }) => {
    const other = matchLatent(samples2.samples, samples1.samples);
    return [{ ...samples1, samples: add(samples1.samples, other) }];
  },
});

export const latentSubtract = defineNode({
  ...extra,
  name: 'LatentSubtract',
  category: 'latent/advanced',
  inputs: { samples1: anyLatent, samples2: anyLatent },
  run: ({ samples1, samples2 }) => {
    const other = matchLatent(samples2.samples, samples1.samples);
    return [{ ...samples1, samples: sub(samples1.samples, other) }];
  },
});

export const latentMultiply = defineNode({
  ...extra,
  name: 'LatentMultiply',
  category: 'latent/advanced',
  inputs: {
    samples: anyLatent,
    multiplier: float({ default: 1, min: -10, max: 10, step: 0.01 }),
  },
  run: ({ samples, multiplier }) => [{ ...samples, samples: scale(samples.samples, multiplier) }],
});

export const latentInterpolate = defineNode({
  ...extra,
  name: 'LatentInterpolate',
  category: 'latent/advanced',
  inputs: {
    samples1: anyLatent,
    samples2: anyLatent,
    ratio: float({ default: 1, min: 0, max: 1, step: 0.01 }),
  },
  run: ({ samples1, samples2, ratio }) => {
    const other = matchLatent(samples2.samples, samples1.samples);
    return [{ ...samples1, samples: interpolateLatents(samples1.samples, other, ratio) }];
  },
});

/** Axis of a latent of `rank` dimensions by its letter. */
const axisOf = (letter: string, rank: number): number => rank - 'xyt'.indexOf(letter) - 1;

export const latentConcat = defineNode({
  ...extra,
  name: 'LatentConcat',
  category: 'latent/advanced',
  inputs: {
    samples1: anyLatent,
    samples2: anyLatent,
    dim: combo(['x', '-x', 'y', '-y', 't', '-t'], { multiselect: false }),
  },
  run: ({ samples1, samples2, dim }) => {
    const a = samples1.samples;
    const b = repeatToBatch(samples2.samples, a.shape[0]);
    const axis = axisOf(dim.replace('-', ''), a.shape.length);
    return [{ ...samples1, samples: concat(dim.startsWith('-') ? [b, a] : [a, b], axis) }];
  },
});

export const latentCut = defineNode({
  ...extra,
  name: 'LatentCut',
  category: 'latent/advanced',
  inputs: {
    samples: anyLatent,
    dim: combo(['x', 'y', 't'], { multiselect: false }),
    index: int({ default: 0, min: -MAX, max: MAX, step: 1 }),
    amount: int({ default: 1, min: 1, max: MAX, step: 1 }),
  },
  run: ({ samples, dim, index, amount }) => {
    const axis = axisOf(dim, samples.samples.shape.length);
    const size = samples.samples.shape[axis];
    // A negative index counts from the end.
    const start = index >= 0 ? Math.min(index, size - 1) : size + Math.max(index, -size);
    const end = Math.min(size, start + amount);
    return [{ ...samples, samples: sliceAxis(samples.samples, axis, start, end) }];
  },
});

export const latentBatch = defineNode({
  ...extra,
  name: 'LatentBatch',
  category: 'latent/batch',
  inputs: { samples1: anyLatent, samples2: anyLatent },
  run: ({ samples1, samples2 }) => {
    const scaled = matchLatentSize(samples2.samples, samples1.samples);
    return [joinLatents(samples1, samples2, scaled)];
  },
});

export const latentBatchSeedBehavior = defineNode({
  ...extra,
  name: 'LatentBatchSeedBehavior',
  category: 'latent/advanced',
  inputs: {
    samples: anyLatent,
    seed_behavior: combo(['random', 'fixed'], { default: 'fixed', multiselect: false }),
  },
  run: ({ samples, seed_behavior }) => {
    const { batch_index, ...rest } = samples;
    if (seed_behavior === 'random') return [rest];
    const count = samples.samples.shape[0];
    return [{ ...rest, batch_index: new Array<number>(count).fill(batch_index?.[0] ?? 0) }];
  },
});

export const latentCompositeMasked = defineNode({
  name: 'LatentCompositeMasked',
  displayName: 'LatentCompositeMasked',
  category: 'latent',
  module: 'comfy_extras.nodes_mask',
  form: 'v1',
  inputs: {
    destination: latent(),
    source: latent(),
    x: pixels(0, 0),
    y: pixels(0, 0),
    resize_source: boolean({ default: false }),
    mask: optional(mask()),
  },
  outputs: [{ type: 'LATENT' }],
  run: ({ destination, source, x, y, resize_source, mask }) => {
    const options = { x, y, multiplier: pixelsPerCell, mask, resizeSource: resize_source };
    const samples = pasteMasked(destination.samples, source.samples, options);
    return [{ ...destination, samples }];
  },
});

export const rebatchLatentsNode = defineNode({
  name: 'RebatchLatents',
  displayName: 'Rebatch Latents',
  category: 'latent/batch',
  module: 'comfy_extras.nodes_rebatch',
  form: 'v3',
  inputIsList: true,
  inputs: { latents: anyLatent, batch_size: int({ default: 1, min: 1, max: 4096 }) },
  outputs: [{ type: 'LATENT', list: true }],
  run: ({ latents, batch_size }) => [rebatchLatents(latents, batch_size[0])],
});

export const latentNodes: readonly NodeDefinition[] = [
  emptyLatentImage,
  latentUpscale,
  latentUpscaleBy,
  latentFromBatchNode,
  repeatLatentBatch,
  latentComposite,
  latentBlend,
  latentRotate,
  latentFlip,
  latentCrop,
  latentAdd,
  latentSubtract,
  latentMultiply,
  latentInterpolate,
  latentConcat,
  latentCut,
  latentBatch,
  latentBatchSeedBehavior,
  latentCompositeMasked,
  rebatchLatentsNode,
];
