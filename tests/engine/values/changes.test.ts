import { describe, expect, test } from 'vitest';
import { type NDArray, zeros } from '../../../engine/array/nd.ts';
import { sd1 } from '../../../engine/arch/families/sd1.ts';
import { towardPatch } from '../../../engine/patch/toward.ts';
import { readAdapters } from '../../../engine/patch/lora/read.ts';
import { feedsOf } from '../../../engine/patch/patch.ts';
import { type Runtime, createRuntime } from '../../../engine/runtime/runtime.ts';
import type { ConditioningEntry, NetworkChange } from '../../../engine/sampling/conditioning.ts';
import type { DiffusionModel, ModelInput } from '../../../engine/sampling/model.ts';
import { prepareConditioning } from '../../../engine/sampling/prepare-conditioning.ts';
import { openWeights } from '../../../engine/tensor/cursor.ts';
import { linear } from '../../../engine/tensor/layers.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import type { ControlNet } from '../../../engine/values/control-net.ts';
import { withControl } from '../../../engine/values/control.ts';
import { createHook, withKeyframes } from '../../../engine/values/hook-group.ts';
import { withProperties } from '../../../engine/values/hooks.ts';
import { type Model, diffusion } from '../../../engine/values/model.ts';
import { runMemory } from '../../support/run-memory.ts';
import { randomSource } from '../../support/random-weights.ts';

const layer = 'input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight';
const encoder = { 'input_blocks.0.0.weight': [8, 4, 3, 3], [layer]: [8, 8] };
const model: Model = {
  family: sd1,
  config: {},
  source: randomSource(encoder),
  patches: [],
  sampling: { prediction: 'eps', schedule: {} },
  extraChannels: 'none',
};
const net: ControlNet = {
  kind: 'controlnet',
  source: randomSource({
    ...encoder,
    'input_hint_block.0.weight': [16, 3, 3, 3],
    'zero_convs.0.0.weight': [8, 8, 1, 1],
    'middle_block_out.0.weight': [8, 8, 1, 1],
    'input_blocks.1.1.proj_in.weight': [8, 8, 1, 1],
    'input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight': [8, 64],
  }),
  patches: [],
  pooled: false,
};

/** A runtime whose networks answer zeros, with what it was asked. */
function recording() {
  const keys: string[] = [];
  const feeds: Readonly<Record<string, { readonly shape: readonly number[] }>>[] = [];
  const answers = {
    out: zeros([1, 4, 8, 8]),
    features: zeros([1, 8, 8, 8]),
    'output.0': zeros([1, 8, 8, 8]),
    middle: zeros([1, 8, 8, 8]),
  };
  const run = (inputs: (typeof feeds)[number]): Promise<Record<string, NDArray>> => {
    feeds.push(inputs);
    return Promise.resolve(answers);
  };
  const session = (key: string): Promise<{ run: typeof run }> => {
    keys.push(key);
    return Promise.resolve({ run });
  };
  return { runtime: { session, feeder: session } as unknown as Runtime, keys, feeds };
}

const bare: ConditioningEntry = { cross: zeros([1, 77, 64]) };
const run = runMemory([14, 7, 3, 1, 0]);
const call = (entry: ConditioningEntry, sigma: number): ModelInput => ({
  x: zeros([1, 4, 8, 8]),
  timesteps: Float32Array.of(1),
  sigma,
  run,
  cond: { cross: entry.cross },
  parts: [{ list: 0, entry }],
});

describe('sessions', () => {
  test('a ControlNet of other strengths, pictures and windows opens nothing', async () => {
    const { runtime, keys, feeds } = recording();
    for (const strength of [0.3, 1]) {
      const image = zeros([1, strength < 1 ? 64 : 100, 64, 3]);
      const application = { net, image, strength, endPercent: strength };
      const [[entry]] = withControl([[bare]], application);
      const sampled = diffusion(model, { runtime });
      for (const sigma of [14, 7, 1]) await sampled.apply(call(entry, sigma));
    }
    expect(new Set(keys.map((key) => (JSON.parse(key) as string[])[0]))).toEqual(
      new Set(['controlnet-hint', 'controlnet', 'sd1']),
    );
    expect(new Set(keys).size).toBe(3);
    const controlled = feeds.filter((inputs) => 'control/middle_block' in inputs);
    expect(controlled).toHaveLength(6); // also where the window is over
  });

  test('hooks follow their keyframes in one session', async () => {
    const { runtime, keys, feeds } = recording();
    const name = `lora_unet_${layer.replace('.weight', '').replaceAll('.', '_')}`;
    const { entries } = await readAdapters(
      randomSource({
        [`${name}.lora_up.weight`]: [8, 2],
        [`${name}.lora_down.weight`]: [2, 8],
      }),
    );
    const hook = createHook({
      weights: { kind: 'lora', entries },
      strengthModel: 0.5,
      strengthClip: 0,
    });
    const hooks = withKeyframes(hook, [
      { strength: 1, startPercent: 0, guaranteeSteps: 0 },
      { strength: 0.2, startPercent: 0.5, guaranteeSteps: 0 },
    ]);
    const [[entry]] = withProperties([[bare]], { hooks });
    const sampled = diffusion(model, { runtime });
    for (const sigma of [14, 1]) await sampled.apply(call(entry, sigma));
    expect(new Set(keys).size).toBe(1);
    const strengths = feeds.map((inputs) => (inputs['hook0/scale'] as NDArray).data[0]);
    expect(strengths).toEqual([0.5, Math.fround(0.1)]);
  });
});

test('what a change takes of memory counts for the rows of a call', () => {
  const { runtime } = recording();
  const shapes = [...net.source.tensors].map(([key, { shape }]) => [key, shape] as const);
  const source = randomSource({
    ...Object.fromEntries(shapes),
    'middle_block_out.0.weight': [5000, 8, 1, 1],
  });
  const wide = randomSource({ ...encoder, 'middle_block.0.out_layers.3.weight': [5000, 8, 1, 1] });
  const application = { net: { ...net, source }, image: zeros([1, 8, 8, 3]), strength: 1 };
  const [[entry]] = withControl([[bare]], application);
  const sampled = diffusion({ ...model, source: wide }, { runtime });
  expect(sampled.bestBatch([4, 64, 64])).toBe(6);
  expect(sampled.bestBatch([4, 64, 64], entry)).toBe(4);
});

test('what spreads goes to entries of the other lists that have none and no area', async () => {
  const sampling = diffusion(model, recording()).modelSampling;
  const plain = {
    modelSampling: sampling,
    encodeConditioning: () => Promise.resolve({}),
  } as unknown as DiffusionModel;
  const spreading: NetworkChange = { spreads: true };
  const other: NetworkChange = {};
  const area = { kind: 'cells', height: 4, width: 4, y: 0, x: 0 } as const;
  const prepared = await prepareConditioning(
    plain,
    {
      positive: [{ ...bare, changes: { control: spreading, hooks: other } }],
      negative: [bare, { ...bare, area }],
    },
    { latentShape: [1, 4, 8, 8], noise: zeros([1, 4, 8, 8]) },
  );
  const [first, second] = prepared['negative'].map(({ entry }) => entry.changes);
  expect(first).toEqual({ control: spreading });
  expect(second).toBeUndefined();

  const own = await prepareConditioning(
    plain,
    {
      positive: [{ ...bare, changes: { control: spreading } }],
      negative: [bare, { ...bare, changes: { control: other } }],
    },
    { latentShape: [1, 4, 8, 8], noise: zeros([1, 4, 8, 8]) },
  );
  expect(own['negative'][0].entry.changes).toBeUndefined();
});

test('a network goes toward another: W + s·(theirs - the stored W)', async () => {
  const runtime = createRuntime({ threads: 1 });
  const own = randomSource({ 'fc.weight': [3, 3], 'fc.bias': [3] });
  const theirs = randomSource({ 'fc.bias': [3], 'fc.weight': [3, 3] });
  const x = { data: Float32Array.of(1, -2, 3), shape: [1, 3] };
  const run = async (source: typeof own, strength?: number): Promise<Float32Array> => {
    const patches =
      strength === undefined ? [] : [towardPatch('hook0', { own, theirs }, () => strength)];
    const session = await runtime.session(`${source.identity} ${strength}`, () =>
      trace('fc', openWeights(source, patches), (g) => ({
        out: linear(g.weights.at('fc'), g.input('x', 'f32', ['batch', 3])),
      })),
    );
    return (await session.run({ x, ...(await feedsOf(patches, { rows: 1 })) })).out.data;
  };
  const [a, b, mixed] = [await run(own), await run(theirs), await run(own, 0.25)];
  mixed.forEach((value, i) => expect(value).toBeCloseTo(a[i] + 0.25 * (b[i] - a[i]), 5));
  expect(await run(own, 1)).not.toEqual(a);
});
