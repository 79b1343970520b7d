/**
 * A T2I-Adapter on a UNet that deep shrink patches too, against ComfyUI 0.3.64: its UNet, adapter and node
 * with the same deterministic numbers, at a noise level where the node acts.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type NDArray, nd, sizeOf } from '../../../engine/array/nd.ts';
import { sd1 } from '../../../engine/arch/families/sd1.ts';
import { detectUNet } from '../../../engine/arch/unet.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { openWeights } from '../../../engine/tensor/cursor.ts';
import type { ControlNet } from '../../../engine/values/control-net.ts';
import { withControl } from '../../../engine/values/control.ts';
import { type Model, diffusion } from '../../../engine/values/model.ts';
import { type WeightSource, memorySource } from '../../../engine/weights/source.ts';
import { floatTensor } from '../../../engine/weights/write.ts';
import { unetPatchNodes } from '../../../nodes/unet-patches.ts';
import { randomFloats } from '../../support/random-weights.ts';
import { runMemory } from '../../support/run-memory.ts';

const fixture = new URL('../../fixtures/t2i-adapter-shrink.json', import.meta.url);
const {
  unet,
  adapter,
  size: [height, width],
  outputs,
} = JSON.parse(readFileSync(fixture, 'utf8')) as Record<'unet' | 'adapter', Shapes> & {
  readonly size: readonly [number, number];
  /** fp32, in base64. */
  readonly outputs: Readonly<Record<string, string>>;
};

type Shapes = Readonly<Record<string, readonly number[]>>;

const random = (shape: readonly number[], seed: number): NDArray =>
  nd(randomFloats(sizeOf(shape), seed), shape);

/** Weights near what layers of their width begin with; norms near 1. */
function source(name: string, shapes: Shapes, seed: number): WeightSource {
  const tensors = Object.entries(shapes).map(([key, shape], i) => {
    const isMatrix = shape.length > 1;
    const inputs = sizeOf(shape.slice(1));
    const scale = isMatrix ? 2 ** -Math.round(Math.log2(inputs) / 2) : 0.125;
    const middle = !isMatrix && key.endsWith('.weight') ? 1 : 0;
    const values = randomFloats(sizeOf(shape), seed + i).map((v) => v * scale + middle);
    return [key, floatTensor(values, shape, 'F32')] as const;
  });
  return memorySource(name, name, tensors);
}

const weights = source('unet', unet, 1);
const model = {
  family: sd1,
  config: detectUNet(openWeights(weights)),
  source: weights,
  patches: [],
  extraChannels: 'none',
  sampling: { prediction: 'eps', schedule: {} },
} as unknown as Model;
const net: ControlNet = {
  source: source('adapter', adapter, 1001),
  patches: [],
  kind: 't2i-adapter',
  pooled: false,
};
const runtime = createRuntime({ threads: 1 });

async function shrunk(block_number: number, downscale_after_skip: boolean): Promise<Model> {
  const node = unetPatchNodes.find(({ name }) => name === 'PatchModelAddDownscale')!;
  const inputs = {
    model,
    block_number,
    downscale_factor: 2,
    start_percent: 0,
    end_percent: 1,
    downscale_after_skip,
    downscale_method: 'bicubic',
    upscale_method: 'bilinear',
  };
  return ((await node.run(inputs, {} as never)) as [Model])[0];
}

test.each(Object.keys(outputs))('%s', async (name) => {
  const [block, when] = name.split(' ');
  const on = when === undefined ? model : await shrunk(Number(block), when === 'after');
  const cross = random([1, 5, 16], 5002);
  const picture = random([1, height * 8, width * 8, 3], 5003);
  const image = nd(
    picture.data.map((v) => (v + 1) / 2),
    picture.shape,
  );
  const [[entry]] = withControl([[{ cross }]], { net, image, strength: 0.75 });
  const out = await diffusion(on, { runtime }).apply({
    x: random([1, 4, height, width], 5001),
    timesteps: Float32Array.of(321),
    sigma: 5,
    cond: { cross },
    parts: [{ list: 0, entry: name === 'none' ? { cross } : entry }],
    run: runMemory(),
  });
  const theirs = new Float32Array(Uint8Array.from(Buffer.from(outputs[name], 'base64')).buffer);
  const worst = out.data.reduce((most, v, i) => Math.max(most, Math.abs(v - theirs[i])), 0);
  expect(worst).toBeLessThan(2e-5);
});
