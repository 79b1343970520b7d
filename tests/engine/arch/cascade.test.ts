/**
 * Parts of Stable Cascade against ComfyUI 0.3.64: its own classes at small sizes with random weights
 * (torchvision's EfficientNet with few channels). Stage C is in the golden data.
 */
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { NDArray } from '../../../engine/array/nd.ts';
import { cascadeControl, detectCascadeControl } from '../../../engine/arch/cascade/controlnet.ts';
import { decodeStageA, detectStageA, encodeStageA } from '../../../engine/arch/cascade/stage-a.ts';
import {
  detectStageCCoder,
  encodeStageC,
  previewStageC,
} from '../../../engine/arch/cascade/stage-c-coder.ts';
import { families } from '../../../engine/arch/families/index.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { openWeights } from '../../../engine/tensor/cursor.ts';
import type { Graph } from '../../../engine/tensor/trace.ts';
import type { Tensor } from '../../../engine/tensor/tensor.ts';
import { diffusionModelOf } from '../../../engine/values/load-checkpoint.ts';
import { openNetwork } from '../../../engine/values/network.ts';
import { openSource } from '../../../engine/weights/open.ts';
import { readFloats } from '../../../engine/weights/read.ts';
import { type WeightSource, sub } from '../../../engine/weights/source.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/cascade');
const runtime = createRuntime({ threads: 1 });
afterAll(() => runtime.unloadAll());

/** The weights of a case, and its other arrays. */
async function open(name: string) {
  const file = await openSource(join(fixtures, `${name}.safetensors`));
  const array = async (key: string): Promise<NDArray> => {
    const entry = file.tensors.get(key)!;
    return { data: await readFloats(entry), shape: entry.shape };
  };
  return { file, source: sub(file, 'w.'), array };
}

const run = (
  source: WeightSource,
  name: string,
  inputs: Readonly<Record<string, NDArray>>,
  build: (g: Graph) => Record<string, Tensor>,
): Promise<Record<string, NDArray>> =>
  openNetwork({ runtime }, { source, patches: [] }, { name, build })(inputs, { rows: 1 });

/** The worst difference, in parts of the largest number. */
function difference(got: NDArray, expected: NDArray): number {
  expect(got.shape).toEqual(expected.shape);
  const largest = expected.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const worst = got.data.reduce((most, v, i) => Math.max(most, Math.abs(v - expected.data[i])), 0);
  return worst / largest;
}

const picture = (g: Graph, { shape }: NDArray): Tensor => g.input('x', 'f32', shape);

describe('Stable Cascade', () => {
  test('stage B, levels of odd size among its own', async () => {
    const { source, array } = await open('stage-b');
    const { family, config } = await diffusionModelOf(source, families);
    expect(family.name).toBe('cascade-b');
    const [x, timesteps, pooled, prior] = await Promise.all(
      ['in.x', 'in.r', 'in.pooled', 'in.prior'].map(array),
    );
    const { out } = await run(source, 'cascade-b', { x, timesteps, pooled, prior }, (g) =>
      family.network(g, config, new Set()),
    );
    expect(difference(out, await array('out.out'))).toBeLessThan(5e-5);
  });

  test('stage A', async () => {
    const { source, array } = await open('stage-a');
    expect(detectStageA(openWeights(source))).toEqual({
      latentChannels: 4,
      factor: 4,
      encoderWidth: 4,
      decoderWidth: 4,
    });
    const x = await array('in.picture');
    const encoded = await run(source, 'encode', { x }, (g) => ({
      out: encodeStageA(g.weights, picture(g, x)),
    }));
    expect(difference(encoded.out, await array('out.latent'))).toBeLessThan(5e-6);
    const latent = await array('in.latent');
    const decoded = await run(source, 'decode', { x: latent }, (g) => ({
      out: decodeStageA(g.weights, picture(g, latent)),
    }));
    expect(difference(decoded.out, await array('out.picture'))).toBeLessThan(5e-6);
  });

  test('the encoder and the previewer of stage C', async () => {
    const { source, array } = await open('stage-c-coder');
    expect(detectStageCCoder(openWeights(source))).toEqual({
      latentChannels: 16,
      encoder: 'encoder',
      previewer: 'previewer',
      width: 2,
    });
    const x = await array('in.picture');
    const signed = { ...x, data: x.data.map((v) => v * 2 - 1) };
    const encoded = await run(source, 'encode', { x: signed }, (g) => ({
      out: encodeStageC(g.weights, picture(g, x), 'encoder'),
    }));
    expect(difference(encoded.out, await array('out.latent'))).toBeLessThan(5e-6);
    const latent = await array('in.latent');
    const decoded = await run(source, 'decode', { x: latent }, (g) => ({
      out: previewStageC(g.weights, picture(g, latent), 'previewer'),
    }));
    expect(difference(decoded.out, await array('out.picture'))).toBeLessThan(5e-6);
  });

  test.each([
    ['control-picture', { pixelsPerCell: 32, hintChannels: 3, channels: 16 }],
    ['control-inpaint', { pixelsPerCell: 32, hintChannels: 4, channels: 16 }],
    ['control-latent', { pixelsPerCell: 1, hintChannels: 4, channels: 16 }],
  ])('%s', async (name, expected) => {
    const { source, array } = await open(name);
    const config = detectCascadeControl(openWeights(source))!;
    expect(config).toEqual(expected);
    const x = await array('in.hint');
    const features = await run(source, name, { x }, (g) =>
      cascadeControl(g.weights, picture(g, x), config),
    );
    const blocks = [0, 4, 8, 12, 51, 55, 59, 63];
    for (const [i, block] of blocks.entries()) {
      // some sixty layers deep: the order in which sums are made moves the last digits
      expect(difference(features[i], await array(`out.${block}`))).toBeLessThan(1e-5);
    }
  });
});
