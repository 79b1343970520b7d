/** Colours of pictures measured and changed. */
import { type SourceStats, transferColours } from '../engine/array/colour-transfer.ts';
import { histograms } from '../engine/array/histogram.ts';
import { NoodleError } from '../engine/errors.ts';
import {
  Float,
  combo,
  dynamicCombo,
  float,
  image,
  inModule,
  int,
  optional,
  socket,
} from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';

export const colorTransfer = inModule(
  'comfy_extras.nodes_post_processing',
  'v3',
)({
  name: 'ColorTransfer',
  displayName: 'Transfer Color',
  category: 'image/filters',
  description: 'Gives pictures the colours of others.',
  inputs: {
    image_target: image({}),
    image_ref: image({}),
    method: combo(['reinhard_lab', 'mkl_lab', 'histogram'] as const),
    source_stats: dynamicCombo([
      { key: 'per_frame', inputs: {} },
      { key: 'uniform', inputs: {} },
      {
        key: 'target_frame',
        inputs: { target_index: int({ default: 0, min: 0, max: 10000 }) },
      },
    ]),
    strength: float({ default: 1, min: 0, max: 10, step: 0.01 }),
  },
  outputs: [{ type: 'IMAGE', name: 'image' }],
  run: ({ image_target: target, image_ref, method, source_stats, strength }, context) => {
    if (strength === 0) return [target];
    const { source_stats: kind, target_index: index = 0 } = source_stats;
    const stats = kind === 'target_frame' ? { frame: index as number } : (kind as SourceStats);
    const onFrame = (done: number): void => context.progress(done, target.shape[0]);
    return [transferColours(target, image_ref, { method, stats, strength, onFrame })];
  },
});

const defineCurve = inModule('comfy_extras.nodes_curve', 'v3', { category: 'utilities' });

type Point = readonly [x: number, y: number];

/** A curve through points from (0, 0) to (1, 1): what editors send, and what flows on wires. */
interface Curve {
  readonly points: readonly Point[];
  readonly interpolation?: string;
}

const [zero, one] = [new Float(0), new Float(1)];
const STRAIGHT = {
  points: [
    [zero, zero],
    [one, one],
  ],
  interpolation: 'monotone_cubic',
};

export const curveEditor = defineCurve({
  name: 'CurveEditor',
  displayName: 'Curve Editor',
  description: 'A curve drawn by hand, over a histogram if there is one.',
  hasIntermediateOutput: true,
  inputs: {
    curve: socket<Curve | readonly Point[]>('CURVE', { default: STRAIGHT, socketless: true }, []),
    histogram: optional(socket<readonly number[]>('HISTOGRAM', {})),
  },
  outputs: [{ type: 'CURVE', name: 'curve' }],
  run: ({ curve, histogram }) => {
    const result = [toCurve(curve)];
    return histogram ? { result, ui: { histogram: [...histogram] } } : result;
  },
});

/** Sorted points, and one of the two kinds of lines between them. */
function toCurve(given: Curve | readonly Point[]): Curve {
  const { points, interpolation } = 'points' in given ? given : { points: given };
  if (!arePoints(points)) {
    const expected = 'a list of points [x, y]';
    throw new NoodleError('BAD_INPUT', { subject: 'curve', expected, got: points });
  }
  const kind = interpolation === 'linear' ? 'linear' : 'monotone_cubic';
  return { points: [...points].sort((a, b) => a[0] - b[0]), interpolation: kind };
}

const arePoints = (given: unknown): given is readonly Point[] =>
  Array.isArray(given) &&
  given.every(
    (point) =>
      Array.isArray(point) && point.length === 2 && point.every((v) => typeof v === 'number'),
  );

export const imageHistogram = defineCurve({
  name: 'ImageHistogram',
  displayName: 'Image Histogram',
  description: 'How often each of 256 levels occurs in the first picture.',
  inputs: { image: image({}) },
  outputs: ['rgb', 'luminance', 'red', 'green', 'blue'].map((name) => ({
    type: 'HISTOGRAM',
    name,
  })),
  run: ({ image }) => {
    const { rgb, luminance, red, green, blue } = histograms(image);
    return [rgb, luminance, red, green, blue];
  },
});

export const imageColourNodes: readonly NodeDefinition[] = [
  colorTransfer,
  curveEditor,
  imageHistogram,
];
