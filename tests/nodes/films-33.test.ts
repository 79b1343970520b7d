import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { map } from '../../engine/array/elementwise.ts';
import { type NDArray, nd, sizeOf } from '../../engine/array/nd.ts';
import { ascendingOrder } from '../../engine/array/order.ts';
import type { NodeContext, NodeDefinition } from '../../engine/graph/definition.ts';
import type { Audio } from '../../engine/values/audio.ts';
import type { TrackMasks } from '../../engine/values/track-masks.ts';
import { keyframeNodes, padKeyframes, padKeyframesList } from '../../nodes/keyframes.ts';
import { scail2ColoredMask } from '../../nodes/scail.ts';
import { seedVr2PostProcessing, seedVr2Preprocess } from '../../nodes/seedvr.ts';
import { expectArray, pattern } from '../support/number-pattern.ts';
import { assertLikeReference } from '../support/object-info.ts';

interface Theirs {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** Computed by the reference (0.33) on the same numbers. */
const reference = JSON.parse(
  readFileSync(new URL('../fixtures/films-0.33.json', import.meta.url), 'utf8'),
) as {
  films: Record<string, { inputs: unknown[]; result: (Theirs & { sum: number })[] }>;
  colours: Record<
    string,
    { inputs: unknown[]; result: { shape: number[]; pixels: string }[] } & Record<string, number[]>
  >;
};
const cases = (begin: string) =>
  Object.entries(reference.films).filter(([name]) => name.startsWith(begin));

const context = { progress: () => undefined } as unknown as NodeContext;
const run = async <T>(node: NodeDefinition, inputs: Record<string, unknown>): Promise<T> =>
  (await node.run(inputs, context)) as T;

const nodes = [...keyframeNodes, seedVr2Preprocess, seedVr2PostProcessing, scail2ColoredMask];
it.each(nodes.map((node) => [node.name, node] as const))('%s prints as the reference', (_, node) =>
  assertLikeReference(node),
);

describe('keyframes', () => {
  const sound = (samples: number): Audio => ({
    waveform: pattern([1, 2, samples]),
    sampleRate: 40,
  });

  it.each(cases('keyframes'))('%s', async (_, { inputs, result }) => {
    const [count, segment_length, segment_index, samples] = inputs as number[];
    const ours = await run<[NDArray, NDArray, Audio]>(padKeyframes, {
      images: pattern([count, 1, 2, 3]),
      segment_length,
      segment_index,
      audio: sound(samples),
    });
    [ours[0], ours[1], ours[2].waveform].forEach((x, i) => expectArray(x, result[i], 5));
  });

  it('gives segments as lists', async () => {
    const given = { images: pattern([5, 1, 2, 3]), segment_length: 9, audio: sound(30) };
    const lists = await run<unknown[][]>(padKeyframesList, { ...given, num_segments: 2 });
    const single = await Promise.all(
      [0, 1].map((segment_index) => run<unknown[]>(padKeyframes, { ...given, segment_index })),
    );
    expect(lists).toEqual([0, 1, 2].map((k) => single.map((parts) => parts[k])));
  });

  it('refuses sound of no rate', async () => {
    const audio = { waveform: pattern([1, 1, 4]), sampleRate: 0 };
    const inputs = { images: pattern([1, 1, 1, 3]), segment_length: 4, segment_index: 0, audio };
    await expect(run(padKeyframes, inputs)).rejects.toThrow('sample rate above 0');
  });
});

/** Numbers 0..1 with no order to see. */
function scrambled(shape: readonly number[], seed: number): NDArray {
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) =>
    Math.fround(((i * i * 7 + i * 389 + seed * 57) % 1009) / 1008),
  );
  return nd(data, shape);
}

describe('SeedVR2', () => {
  it.each(cases('seedvr pre'))('%s', async (_, { inputs, result: [theirs] }) => {
    const resized_images = map(pattern(inputs as number[]), (v) => v * 1.2 - 0.1);
    const [ours] = await run<[NDArray]>(seedVr2Preprocess, { resized_images });
    expect(ours.shape).toEqual(theirs.shape);
    const sum = ours.data.reduce((all, v, i) => all + v * ((i % 97) + 1), 0);
    expect(sum / theirs.sum).toBeCloseTo(1, 6);
  });

  it.each(cases('seedvr post'))('%s', async (_, { inputs, result: [theirs] }) => {
    const [method, made, original] = inputs as [string, number[], number[]];
    const [ours] = await run<[NDArray]>(seedVr2PostProcessing, {
      images: scrambled(made, 1),
      original_resized_images: map(scrambled(original, 2), (v) => v * 0.6 + 0.3),
      color_correction_method: method,
    });
    expectArray(ours, theirs, 4);
  });

  it('refuses what is no film, and other than three channels', async () => {
    const flat = run(seedVr2Preprocess, { resized_images: pattern([4, 4, 3]) });
    await expect(flat).rejects.toThrow('pictures [frames, h, w, c]');
    const thin = run(seedVr2Preprocess, { resized_images: pattern([1, 1, 4, 3]) });
    await expect(thin).rejects.toThrow('at least 2 pixels');
    const grey = run(seedVr2PostProcessing, {
      images: pattern([1, 4, 4, 1]),
      original_resized_images: pattern([1, 4, 4, 3]),
      color_correction_method: 'lab',
    });
    await expect(grey).rejects.toThrow('3 channels');
  });

  it('orders numbers and keeps equal ones in place', () => {
    const values = Float32Array.of(0.5, -1, 0, 0.5, -0, -2.5, 3e38, -3e38, 1e-40);
    const expected = Array.from(values, (_, i) => i).sort((a, b) => values[a] - values[b] || a - b);
    expect([...ascendingOrder(values)]).toEqual(expected);
  });
});

describe('SCAIL2ColoredMask', () => {
  const { tracks, ...drawn } = reference.colours;
  const of = (name: string, frames: number): TrackMasks => ({
    frames,
    objects: 4,
    height: 6,
    width: 8,
    bits: Uint8Array.from(tracks[name]),
    filmHeight: 9,
    filmWidth: 11,
  });

  it.each(Object.entries(drawn))('%s', async (_, { inputs, result }) => {
    const [sort_by, object_indices, replacement_mode, kind] = inputs;
    const references: Record<string, unknown> = {
      track: of('reference', 1),
      mask: pattern([2, 3, 4]),
    };
    const ours = await run<NDArray[]>(scail2ColoredMask, {
      driving_track_data: of('film', 3),
      ref_track_data: references[String(kind)],
      object_indices,
      sort_by,
      replacement_mode,
    });
    ours.forEach(({ shape, data }, i) => {
      expect(shape).toEqual(result[i].shape);
      const pixels = Array.from({ length: data.length / 3 }, (_, k) => {
        return data[3 * k] * 4 + data[3 * k + 1] * 2 + data[3 * k + 2];
      });
      expect(pixels.join('')).toBe(result[i].pixels);
    });
  });
});
