/** Nodes of 0.33 around sampling, against its numbers (computed by the reference). */
import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { normalQuantile } from '../../engine/array/normal-quantile.ts';
import { type NDArray, nd } from '../../engine/array/nd.ts';
import { createModelSampling } from '../../engine/sampling/model-sampling.ts';
import type { Latent } from '../../engine/values/media.ts';
import type { Model } from '../../engine/values/model.ts';
import { builtinNodes } from '../../nodes/index.ts';
import { contextWith, runNode } from '../golden/pictures/run-node.ts';
import { expectArray, pattern } from '../support/number-pattern.ts';

type Inputs = Readonly<Record<string, number>>;
interface Theirs {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
interface Reference {
  readonly Flux2Scheduler: readonly { inputs: Inputs; sigmas: readonly number[] }[];
  readonly Ideogram4Scheduler: readonly { inputs: Inputs; sigmas: readonly number[] }[];
  readonly NormalizeVideoLatentStart: readonly { inputs: Inputs; result: Theirs }[];
  readonly empty: Readonly<Record<string, { inputs: Inputs; shape: readonly number[] }>>;
}

const reference = JSON.parse(
  readFileSync(new URL('../fixtures/sampling-0.33.json', import.meta.url), 'utf8'),
) as Reference;
const nodes = builtinNodes();
const run = async <T>(name: string, inputs: Record<string, unknown>): Promise<T> =>
  ((await runNode(nodes.get(name)!, inputs)) as readonly T[])[0];

describe.each(['Flux2Scheduler', 'Ideogram4Scheduler'] as const)('%s', (name) => {
  test.each(reference[name])('of $inputs', async ({ inputs, sigmas }) => {
    const ours = await run<Float32Array>(name, inputs);
    expect(ours.length).toBe(sigmas.length);
    ours.forEach((sigma, i) => expect(Math.abs(sigma - sigmas[i])).toBeLessThanOrEqual(6e-8));
  });
});

test('quantiles of the normal distribution', () => {
  // torch.special.ndtri in double precision
  const theirs: readonly (readonly [number, number])[] = [
    [0.5, 0],
    [0.3, -0.5244005127080407],
    [0.975, 1.959963984540054],
    [0.05, -1.6448536269514729],
    [1e-12, -7.034483825301131],
    [0, -Infinity],
    [1, Infinity],
  ];
  for (const [p, z] of theirs) {
    if (Number.isFinite(z)) expect(normalQuantile(p)).toBeCloseTo(z, 13);
    else expect(normalQuantile(p)).toBe(z);
  }
  expect(normalQuantile(1.5)).toBeNaN();
});

describe('NormalizeVideoLatentStart', () => {
  const video = (): NDArray => {
    const { data, shape } = pattern([2, 3, 6, 2, 2]);
    const growing = data.map((v, i) => v * (0.2 + (2.8 * (Math.floor(i / 4) % 6)) / 5));
    return nd(growing, shape);
  };

  test.each(reference.NormalizeVideoLatentStart)('of $inputs', async ({ inputs, result }) => {
    const latent = { samples: video(), batch_index: [3, 4] };
    const ours = await run<Latent>('NormalizeVideoLatentStart', { latent, ...inputs });
    expectArray(ours.samples, result, 5);
    expect(ours.batch_index).toEqual([3, 4]);
    expect(latent.samples).toEqual(video());
  });

  it('leaves a single frame alone and says what it needs', async () => {
    const counts = { start_frame_count: 6, reference_frame_count: 5 };
    const single = { samples: pattern([1, 2, 1, 2, 2]) };
    expect(await run('NormalizeVideoLatentStart', { latent: single, ...counts })).toBe(single);
    const refused = (samples: NDArray) =>
      expect(run('NormalizeVideoLatentStart', { latent: { samples }, ...counts })).rejects;
    await refused(video()).toThrow('more than 6 frames');
    await refused(pattern([1, 4, 8, 8])).toThrow('without frames');
  });
});

test.each(Object.entries(reference.empty))('%s', async (name, { inputs, shape }) => {
  const { samples } = await run<Latent>(name, inputs);
  expect(samples.shape).toEqual(shape);
  expect(samples.data.every((value) => value === 0)).toBe(true);
});

describe('ModelNoiseScale', () => {
  const sd1 = { sampling: { prediction: 'eps', schedule: {} } } as unknown as Model;

  it('multiplies the noise that a flow starts from, until the next sampling node', async () => {
    const flow = await run<Model>('ModelSamplingSD3', { model: sd1, shift: 3 });
    const scaled = await run<Model>('ModelNoiseScale', { model: flow, noise_scale: 7.5 });
    const [noise, latent] = [pattern([1, 1, 2, 2]), pattern([1, 1, 2, 2], 13)];
    const start = ({ sampling }: Model) =>
      createModelSampling(sampling).noiseScaling(0.75, noise, latent);
    // 0.75 · (7.5 · noise) + 0.25 · latent
    expectArray(start(scaled), {
      shape: [1, 1, 2, 2],
      data: [...noise.data].map((value, i) => 0.75 * 7.5 * value + 0.25 * latent.data[i]),
    });
    const again = await run<Model>('ModelSamplingSD3', { model: scaled, shift: 3 });
    expect(start(again)).toEqual(start(flow));
  });

  it('refuses other models', async () => {
    const inputs = { model: sd1, noise_scale: 2 };
    await expect(run('ModelNoiseScale', inputs)).rejects.toThrow('flow');
    const flux = await run<Model>('ModelSamplingFlux', {
      model: sd1,
      max_shift: 1,
      base_shift: 0.5,
      width: 64,
      height: 64,
    });
    await expect(run('ModelNoiseScale', { ...inputs, model: flux })).rejects.toThrow('flow');
  });
});

describe('nodes that choose devices', () => {
  const values = { SelectModelDevice: 'model', SelectCLIPDevice: 'clip', SelectVAEDevice: 'vae' };

  test.each(Object.entries(values))('%s changes nothing, and says so', async (name, input) => {
    const node = nodes.get(name)!;
    const value = {};
    for (const [device, lines] of [
      ['default', 0],
      ['gpu:1', 1],
    ] as const) {
      const told: string[] = [];
      const log = (_level: string, line: string): void => void told.push(line);
      const given = { ...contextWith(), services: { log } } as never;
      expect(await node.run({ [input]: value, device }, given)).toEqual([value]);
      expect(told.length).toBe(lines);
    }
    expect(await node.validate!.check({ device: 'gpu:1' }, {}, {} as never)).toBe(true);
  });
});
