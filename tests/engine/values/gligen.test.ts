import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { detectFamily } from '../../../engine/arch/families/detect.ts';
import { families } from '../../../engine/arch/families/index.ts';
import { sliceAxis } from '../../../engine/array/batch.ts';
import { type NDArray, nd, sizeOf, zeros } from '../../../engine/array/nd.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { openGligen, withTextBox } from '../../../engine/values/gligen.ts';
import { diffusion } from '../../../engine/values/model.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { memorySource, sub } from '../../../engine/weights/source.ts';
import { floatTensor } from '../../../engine/weights/write.ts';
import { compare } from '../../golden/area.ts';
import { runMemory } from '../../support/run-memory.ts';
import { randomFloats } from '../../support/random-weights.ts';

/**
 * Computed by ComfyUI 0.3.64 on the golden UNet inpaint9: `weights` are [key, shape, scale] of a small
 * GLIGEN in the order of their seeds, `one` and `two` the outputs with that many boxes.
 */
const reference = JSON.parse(
  readFileSync(new URL('../../fixtures/gligen.json', import.meta.url), 'utf8'),
) as {
  readonly weights: readonly (readonly [string, readonly number[], number])[];
  readonly boxes: readonly Readonly<Record<'seed' | 'height' | 'width' | 'y' | 'x', number>>[];
  readonly shape: readonly number[];
  readonly one: readonly number[];
  readonly two: readonly number[];
};

const runtime = createRuntime({ threads: 1 });
afterAll(() => runtime.unloadAll());

const random = (shape: readonly number[], seed: number, scale = 1): NDArray =>
  nd(
    randomFloats(sizeOf(shape), seed).map((value) => value * Math.fround(scale)),
    shape,
  );

const gligen = openGligen(
  memorySource(
    'gligen',
    'gligen',
    reference.weights.map(([key, shape, scale], i) => [
      key,
      floatTensor(random(shape, i + 1, scale).data, shape, 'F32'),
    ]),
  ),
);

const textOf = (seed: number) => random([1, gligen.config.textWidth], seed);

async function model() {
  const path = new URL('../../golden/data/unet/models/inpaint9.safetensors', import.meta.url);
  const source = sub(await openSafetensors(path.pathname), 'model.diffusion_model.');
  const read = () => Promise.resolve(undefined);
  const detected = await detectFamily(families, { model: source, file: source, read });
  return { ...detected, source, patches: [] };
}

test('the network with one and two boxes is the reference', async () => {
  const sampled = diffusion(await model(), { runtime });
  const [rows, , height, width] = reference.shape;
  const whole = random([rows, 9, height, width], 101);
  const cond = {
    cross: random([rows, 77, 64], 102),
    concat: sliceAxis(whole, 1, 4, 9),
  };
  let entries = [{ cross: zeros([1, 77, 64]) }];
  for (const [i, expected] of [reference.one, reference.two].entries()) {
    const { seed, ...place } = reference.boxes[i];
    entries = withTextBox(entries, gligen, { text: textOf(seed), ...place }) as typeof entries;
    const input = {
      x: sliceAxis(whole, 1, 0, 4),
      timesteps: Float32Array.of(500, 20),
      cond,
      sigma: 1,
      parts: [{ list: 0, entry: entries[0] }],
      run: runMemory(),
    };
    const tolerance = { atol: 2e-5, rtol: 1e-4 };
    const got = await sampled.apply(input);
    const result = compare('eps', got, { data: expected, shape: reference.shape }, tolerance);
    expect(result).toMatchObject({ pass: true });
  }
  expect(runtime.stats().sessions).toHaveLength(1); // boxes are fed
});

test('entries share boxes; too many, other words and other networks are refused', async () => {
  const box = { text: textOf(1), height: 2, width: 2, y: 0, x: 0 };
  const entry = { cross: zeros([1, 77, 64]) };
  const [a, b] = withTextBox([entry, entry], gligen, box);
  expect(a.changes!.gligen).toBe(b.changes!.gligen);

  let many = withTextBox([entry], gligen, box);
  for (let i = 1; i < 30; i++) many = withTextBox(many, gligen, box);
  expect(() => withTextBox(many, gligen, box)).toThrow(/at most 30 boxes.*31/);
  expect(() => withTextBox([entry], gligen, { ...box, text: zeros([1, 5]) })).toThrow(
    /text encoder of width 768.*width 5/,
  );
  expect(() => openGligen(memorySource('other', 'other', []))).toThrow(/it holds no GLIGEN/);

  const { source, ...rest } = await model();
  const tensors = new Map([...source.tensors].filter(([key]) => !key.includes('attn1')));
  const sampled = diffusion({ ...rest, source: { ...source, tensors } }, { runtime });
  const x = zeros([1, 4, 6, 10]);
  const parts = [{ list: 0, entry: a }];
  const call = { x, timesteps: Float32Array.of(1), cond: {}, sigma: 1, parts, run: runMemory() };
  await expect(sampled.apply(call)).rejects.toThrow(/GLIGEN that was trained on this model/);
});
