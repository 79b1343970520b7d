/** Arithmetic on latents; latents joined and cut along an axis. */
import { concat, repeatToBatch, sliceAxis } from '../engine/array/batch.ts';
import { add, scale, sub } from '../engine/array/elementwise.ts';
import {
  interpolateLatents,
  matchLatent,
  matchLatentSize,
  normalizeFrames,
  piecesAsBatch,
  withFrames,
} from '../engine/array/latent-math.ts';
import { NoodleError } from '../engine/errors.ts';
import { combo, float, inModule, int, latent, optional } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { joinLatents } from '../engine/values/latent-batch.ts';

const MAX = 16384;

const define = inModule('comfy_extras.nodes_latent', 'v3', {
  category: 'latent/advanced',
  outputs: [{ type: 'LATENT' }],
});
const anyLatent = latent({});

export const latentAdd = define({
  name: 'LatentAdd',
  inputs: { samples1: anyLatent, samples2: anyLatent },
  run: ({ samples1, samples2 }) => {
    const other = matchLatent(samples2.samples, samples1.samples);
    return [{ ...samples1, samples: add(samples1.samples, other) }];
  },
});

export const latentSubtract = define({
  name: 'LatentSubtract',
  inputs: { samples1: anyLatent, samples2: anyLatent },
  run: ({ samples1, samples2 }) => {
    const other = matchLatent(samples2.samples, samples1.samples);
    return [{ ...samples1, samples: sub(samples1.samples, other) }];
  },
});

export const latentMultiply = define({
  name: 'LatentMultiply',
  inputs: {
    samples: anyLatent,
    multiplier: float({ default: 1, min: -10, max: 10, step: 0.01 }),
  },
  run: ({ samples, multiplier }) => [{ ...samples, samples: scale(samples.samples, multiplier) }],
});

export const latentInterpolate = define({
  name: 'LatentInterpolate',
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

export const latentConcat = define({
  name: 'LatentConcat',
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

export const latentCut = define({
  name: 'LatentCut',
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

export const latentBatch = define({
  name: 'LatentBatch',
  category: 'latent/batch',
  inputs: { samples1: anyLatent, samples2: anyLatent },
  run: ({ samples1, samples2 }) => {
    const scaled = matchLatentSize(samples2.samples, samples1.samples);
    return [joinLatents(samples1, samples2, scaled)];
  },
});

export const latentBatchSeedBehavior = define({
  name: 'LatentBatchSeedBehavior',
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

const defineLatent33 = inModule('comfy_extras.nodes_latent', 'v3', {
  outputs: [{ type: 'LATENT' }],
});

export const latentCutToBatch = defineLatent33({
  name: 'LatentCutToBatch',
  category: 'model/latent/advanced',
  description: 'Cuts latents along an axis and makes a batch of the pieces; a rest is dropped.',
  inputs: {
    samples: anyLatent,
    dim: combo(['t', 'x', 'y'] as const),
    slice_size: int({ default: 1, min: 1, max: MAX, step: 1 }),
  },
  run: ({ samples, dim, slice_size }) => {
    const axis = samples.samples.shape.length - { x: 1, y: 2, t: 3 }[dim];
    if (axis < 2) return [samples];
    return [{ ...samples, samples: piecesAsBatch(samples.samples, axis, slice_size) }];
  },
});

export const replaceVideoLatentFrames = defineLatent33({
  name: 'ReplaceVideoLatentFrames',
  displayName: 'Replace Video Latent Frames',
  category: 'model/latent/batch',
  description:
    'Puts the frames of one video latent into another; what does not fit changes nothing.',
  inputs: {
    destination: anyLatent,
    source: optional(anyLatent),
    index: int({ default: 0, min: -MAX, max: MAX, step: 1 }),
  },
  run: ({ destination, source, index }, { services }) => {
    if (!source) return [destination];
    const [frames, count] = [destination, source].map((x) => x.samples.shape[2]);
    const at = index < 0 ? frames + index : index;
    if (at < 0 || at + count > frames) {
      services.log?.(
        'WARNING',
        `ReplaceVideoLatentFrames: ${count} frames do not fit at ${index} of ${frames}`,
      );
      return [destination];
    }
    return [{ ...source, samples: withFrames(destination.samples, source.samples, at) }];
  },
});

export const trimVideoLatent = inModule(
  'comfy_extras.nodes_wan',
  'v3',
)({
  name: 'TrimVideoLatent',
  category: 'latent/video',
  description: 'A video without its first latent frames.',
  inputs: { samples: latent({}), trim_amount: int({ default: 0, min: 0, max: 99999 }) },
  outputs: [{ type: 'LATENT' }],
  run: ({ samples, trim_amount }) => {
    const frames = samples.samples.shape[2];
    const trimmed = sliceAxis(samples.samples, 2, Math.min(trim_amount, frames), frames);
    return [{ ...samples, samples: trimmed }];
  },
});

export const normalizeVideoLatentStart = inModule(
  'comfy_extras.nodes_kandinsky5',
  'v3',
)({
  name: 'NormalizeVideoLatentStart',
  category: 'model/conditioning',
  description:
    'Brings the first frames of a video to the brightness and contrast of those behind them.',
  inputs: {
    latent: latent({}),
    start_frame_count: int({ default: 4, min: 1, max: MAX, step: 1 }),
    reference_frame_count: int({ default: 5, min: 1, max: MAX, step: 1 }),
  },
  outputs: [{ type: 'LATENT', name: 'latent' }],
  run: ({ latent, start_frame_count: start, reference_frame_count: count }) => {
    const { shape } = latent.samples;
    const frames = shape[2];
    if (shape.length !== 5 || (frames > 1 && start >= frames)) {
      const expected = `a video latent of more than ${start} frames`;
      const got = shape.length === 5 ? `${frames} frames` : 'a latent without frames';
      throw new NoodleError('BAD_INPUT', { subject: 'latent', expected, got });
    }
    if (frames <= 1) return [latent];
    const end = Math.min(frames, start + Math.min(count, frames - 1));
    const reference = sliceAxis(latent.samples, 2, start, end);
    return [{ ...latent, samples: normalizeFrames(latent.samples, start, reference) }];
  },
});

export const latentAdvancedNodes: readonly NodeDefinition[] = [
  latentAdd,
  latentSubtract,
  latentMultiply,
  latentInterpolate,
  latentConcat,
  latentCut,
  latentBatch,
  latentBatchSeedBehavior,
  latentCutToBatch,
  replaceVideoLatentFrames,
  trimVideoLatent,
  normalizeVideoLatentStart,
];
