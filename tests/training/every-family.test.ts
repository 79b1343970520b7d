/**
 * Every family of transformers trains: a step of a tiny network with LoRA on what job files train of it. Oracle:
 * central differences of the loss.
 */
import { afterAll, expect, test } from 'vitest';
import type { NDArray } from '../../engine/array/nd.ts';
import { sizeOf } from '../../engine/array/nd.ts';
import type { Family } from '../../engine/arch/family.ts';
import { families } from '../../engine/arch/families/index.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { openWeights } from '../../engine/tensor/cursor.ts';
import { mean, mul, sub } from '../../engine/tensor/nn.ts';
import { evalShape, symbolsOf } from '../../engine/tensor/shape.ts';
import { trace } from '../../engine/tensor/trace.ts';
import { trainedModules } from '../../engine/training/modules/choose.ts';
import { type Adapter, trainedWeights } from '../../engine/training/networks/adapter.ts';
import { trainedNetwork, trainedPatch } from '../../engine/training/networks/trained.ts';
import { numbersOf } from '../../engine/training/parameters.ts';
import { type StepObjective, gradientName, trainingStep } from '../../engine/training/step.ts';
import { diffusionModelOf } from '../../engine/values/load-checkpoint.ts';
import type { Model } from '../../engine/values/model.ts';
import { openNetwork } from '../../engine/values/network.ts';
import { openSafetensors } from '../../engine/weights/safetensors.ts';
import { memorySource } from '../../engine/weights/source.ts';
import { floatTensor } from '../../engine/weights/write.ts';
import { openModel } from '../golden/dit/run.ts';
import { ownGoldenDir } from '../support/golden.ts';
import { randomFloats } from '../support/random-weights.ts';
import { tinyDiffusionModels } from '../workflows/tiny-transformers.ts';

type Tiny = Pick<Model, 'family' | 'config' | 'source'>;

const inGolden = (name: string) => () => openModel(ownGoldenDir('dit-more'), 'dit-more', name);

/** A tiny network of every family that has one. */
const networks: Readonly<Record<string, () => Promise<Tiny>>> = {
  sd2: async () => {
    const file = await openSafetensors(`${ownGoldenDir('unet')}/models/sd2.safetensors`);
    return diffusionModelOf(file, families);
  },
  'ovis-image': inGolden('model_ovis_image'),
  'longcat-image': inGolden('model_longcat_image'),
  'mage-flow': inGolden('model_mage_flow'),
  'hunyuan-image-refiner': inGolden('model_hunyuan_image_refiner'),
  ...Object.fromEntries(
    Object.entries(tinyDiffusionModels).map(([name, make]) => [
      name,
      async () => {
        const tensors = [...(await make())].map(([key, tensor]) => {
          const stored = 'dtype' in tensor ? tensor : floatTensor(tensor.data, tensor.shape, 'F32');
          return [key, stored as { bytes: Uint8Array } & typeof stored] as const;
        });
        return diffusionModelOf(memorySource(name, name, tensors), families);
      },
    ]),
  ),
};

/** Their networks are the UNet of others; golden cases of `training` train it. */
const sameUNet = 'sd1 zero123 sd2-unclip sd-x4-upscaler sdxl-refiner playground-2.5 sdxl'.split(
  ' ',
);

/** Sizes of inputs by their names, where any will do and where a family has its own. */
const sizes: Readonly<Record<string, number>> = { batch: 2, height: 4, width: 6, frames: 1 };
const ownSizes: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'chroma-radiance': { height: 16, width: 32 },
  'hunyuan-dit': { tokens: 77, mask_tokens: 77, second_tokens: 256, second_mask_tokens: 256 },
};
const sizeIn = (family: Family, symbol: string): number =>
  ownSizes[family.name]?.[symbol] ?? sizes[symbol] ?? 3;

/** Modules that the prediction does not depend on: what the last block makes of the text, layers of zeros. */
const idle: Readonly<Record<string, RegExp>> = {
  'mage-flow': /^transformer_blocks\.0\.(txt_mlp|attn\.(add_q_proj|to_add_out))/,
  'qwen-image': /^transformer_blocks\.1\.(txt_mlp|attn\.(add_q_proj|to_add_out))/,
  'cascade-b': /^pixels_mapper\.0/,
};

const runtime = createRuntime({ threads: 1 });
afterAll(() => runtime.unloadAll());

const objective: StepObjective = {
  identity: 'mean square',
  build: (g, { out }) => {
    const difference = sub(out, g.input('target', 'f32', out.shape));
    const axes = out.shape.map((_, axis) => axis);
    return { loss: mean(mul(difference, difference), axes) };
  },
};

/** LoRA of rank 2 whose factors both are random, on every module that job files train. */
function adaptersOn({ source, family }: Tiny): Adapter[] {
  const random = (shape: readonly number[], seed: number): NDArray => ({
    shape,
    data: randomFloats(sizeOf(shape), seed).map((v) => v * 0.3),
  });
  return trainedModules(source, family, {}).map((module, i) => {
    const [out, ...rest] = module.shape;
    return {
      module,
      parts: { up: random([out, 2], 2 * i), down: random([2, sizeOf(rest)], 2 * i + 1) },
      alpha: 2,
    };
  });
}

/** Numbers for an input. */
function numbersFor(name: string, count: number, seed: number): Float32Array {
  if (name === 'timesteps') return new Float32Array(count).fill(0.4);
  return name.endsWith('mask') ? new Float32Array(count).fill(1) : randomFloats(count, seed);
}

const step = 1e-3;

test.each(Object.entries(networks))('%s', { timeout: 120_000 }, async (name, open) => {
  const tiny = await open();
  const { family, config, source } = tiny;
  expect(family.name).toBe(name);
  const network = trainedNetwork(trainedWeights(adaptersOn(tiny), source));
  const values = network.start();
  const patch = trainedPatch(network, values);
  const inner = {
    name: family.name,
    build: (g: Parameters<Family['network']>[0]) => family.network(g, config, new Set()),
  };
  const stepOf = (recompute: boolean) => trainingStep(inner, patch, { objective, recompute });
  const program = trace(name, openWeights(source, [patch]), stepOf(false).build);
  const inputs = program.inputs.flatMap(({ attrs, shape }, i) => {
    if (attrs.name === 'trained') return [];
    const symbols = shape.flatMap(symbolsOf);
    const bound = Object.fromEntries(symbols.map((symbol) => [symbol, sizeIn(family, symbol)]));
    const sides = evalShape(shape, bound);
    return [
      [attrs.name, { shape: sides, data: numbersFor(attrs.name, sizeOf(sides), i) }] as const,
    ];
  });
  const computed = (recompute: boolean) =>
    openNetwork(
      { runtime },
      { source, patches: [patch] },
      stepOf(recompute),
    )(Object.fromEntries(inputs), { rows: sizes.batch });
  const answers = await computed(false);
  const again = await computed(true);

  // every module is read, and every factor gets a gradient; the direction goes along each, none too far
  expect(patch.parts().map(([place]) => place)).toEqual(network.layout.list);
  const direction = new Float32Array(values.length);
  let slope = 0;
  network.layout.list.forEach((place, i) => {
    const gradient = numbersOf(answers[gradientName].data, place);
    const norm = Math.hypot(...gradient);
    expect(norm, place.name).toSatisfy(Number.isFinite);
    expect(norm > 0, place.name).toBe(!idle[name]?.test(place.name));
    if (norm === 0) return;
    const share = 1 + (i % 3) / 2;
    numbersOf(direction, place).set(gradient.map((v) => (share * v) / norm));
    slope += share * norm;
  });

  const start = values.slice();
  const lossAt = async (by: number): Promise<number> => {
    values.forEach((_, i) => (values[i] = start[i] + by * direction[i]));
    return (await computed(true)).loss.data[0];
  };
  const measured = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
  expect(Math.abs(measured / slope - 1)).toBeLessThan(0.01);

  // ONNX Runtime may join other nodes where more is computed
  const largest = answers[gradientName].data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const worst = answers[gradientName].data.reduce(
    (most, v, i) => Math.max(most, Math.abs(v - again[gradientName].data[i])),
    0,
  );
  expect(worst).toBeLessThanOrEqual(1e-5 * largest);
  await runtime.unloadAll();
});

test('no other family is left out', () => {
  const missing = families.map(({ name }) => name).filter((name) => !(name in networks));
  expect(missing).toEqual(sameUNet);
});
