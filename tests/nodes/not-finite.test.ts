/** NaN passes every minimum and maximum; where Python makes an integer of it, the node fails. */
import { describe, expect, it } from 'vitest';
import { zeros } from '../../engine/array/nd.ts';
import { roundToInteger, toInteger } from '../../engine/array/round.ts';
import type { NodeContext } from '../../engine/graph/definition.ts';
import { pythonTypeOf } from '../../engine/python/error.ts';
import type { ModelSampling } from '../../engine/sampling/model-sampling.ts';
import { areaBox } from '../../engine/sampling/region.ts';
import { splitSigmasDenoise } from '../../engine/sampling/schedules/cut.ts';
import { storedSigmas } from '../../engine/sampling/schedules/fixed.ts';
import { sdTurboSigmas } from '../../engine/sampling/schedules/free.ts';
import { ksamplerSigmas } from '../../engine/sampling/schedules/schedules.ts';
import { builtinNodes } from '../../nodes/index.ts';

const nodes = builtinNodes();
const context = {
  services: { folders: { saveTarget: () => ({}) }, options: {} },
} as unknown as NodeContext;
const run = (name: string, inputs: Record<string, unknown>): unknown =>
  nodes.get(name)!.run(inputs, context);

const image = zeros([1, 8, 8, 3]);
const samples = { samples: zeros([1, 4, 8, 8]) };
const sampling = {} as ModelSampling;
const upscale_method = 'nearest-exact';
const area = { kind: 'percentage', height: 1, width: NaN, y: 0, x: 0 } as const;

describe('NaN', () => {
  it.each<[string, () => unknown]>([
    ['KSampler.denoise', () => ksamplerSigmas(sampling, 'normal', { steps: 20, denoise: NaN })],
    ['SDTurboScheduler', () => sdTurboSigmas(sampling, { steps: 1, denoise: NaN })],
    ['SplitSigmasDenoise', () => splitSigmasDenoise(new Float32Array(5), NaN)],
    ['ConditioningSetAreaPercentage', () => areaBox(area, [8, 8])],
    ['LatentUpscaleBy', () => run('LatentUpscaleBy', { samples, upscale_method, scale_by: NaN })],
    ['ImageScaleBy', () => run('ImageScaleBy', { image, upscale_method, scale_by: NaN })],
    [
      'ImageScaleToTotalPixels',
      () => run('ImageScaleToTotalPixels', { image, upscale_method, megapixels: NaN }),
    ],
    [
      'SaveAnimatedWEBP',
      () => run('SaveAnimatedWEBP', { images: image, fps: NaN, method: 'default' }),
    ],
    ['SaveAnimatedPNG', () => run('SaveAnimatedPNG', { images: image, fps: NaN })],
  ])('%s: fails as int(nan) does', async (_, fail) => {
    await expect((async () => fail())()).rejects.toThrow('cannot convert float NaN to integer');
  });

  it('is no number of steps', () => {
    // As the reference: NaN is not less than 1, so all steps are run.
    expect(storedSigmas([3, 2, 1], { steps: 2, denoise: NaN })).toHaveLength(3);
  });
});

it.each([
  [2.5, 2, 2],
  [-0.4, 0, 0],
  [3.5, 3, 4],
])('%f is cut to %i and rounded to %i', (x, cut, rounded) => {
  expect([toInteger(x), roundToInteger(x)]).toEqual([cut, rounded]);
});

it('infinity is no integer either', () => {
  expect(() => toInteger(Infinity)).toThrow('cannot convert float infinity to integer');
  expect(pythonTypeOf(new RangeError())).toBe('ValueError');
});
