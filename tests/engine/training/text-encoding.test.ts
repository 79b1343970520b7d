/** Text encoders in training: gradients of an encoding's product with given numbers, against differences of it. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type NDArray, sizeOf } from '../../../engine/array/nd.ts';
import { clipH, clipLOfXl, joinedOnChannels } from '../../../engine/arch/families/text-encoders.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { trainedEncoderModules } from '../../../engine/training/modules/choose.ts';
import type { Adapter } from '../../../engine/training/networks/adapter.ts';
import { type Trainees, together } from '../../../engine/training/networks/trainees.ts';
import { type TextGradient, rowOf, textTrainer } from '../../../engine/training/text-encoding.ts';
import { clipEncoderKind } from '../../../engine/values/clip-encoder.ts';
import type { Clip } from '../../../engine/values/clip.ts';
import type { TextEncoder } from '../../../engine/values/text-encoder.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { sub } from '../../../engine/weights/source.ts';
import { randomFloats } from '../../support/random-weights.ts';

const models = join(import.meta.dirname, '../../golden/data/text-encoders/models');
const runtime = createRuntime({ threads: 2 });
const numbers = (shape: readonly number[], seed: number): NDArray => ({
  data: randomFloats(sizeOf(shape), seed).map((v) => v * 0.3),
  shape,
});

let clip: Clip;
let trainees: Trainees;
let values: Float32Array;
beforeAll(async () => {
  const specs = [clipLOfXl, clipH];
  const files = ['clip_l', 'clip_h_openclip'];
  const encoders: TextEncoder[] = [];
  for (const [i, file] of files.entries()) {
    const whole = await openSafetensors(join(models, `${file}.safetensors`));
    const source = clipEncoderKind.normalise(
      i === 0 ? whole : sub(whole, 'cond_stage_model.model.'),
    );
    encoders.push({ ...clipEncoderKind.open(source, specs[i])!, special } as TextEncoder);
  }
  clip = { setup: joinedOnChannels(specs, { pooledFrom: 1 }), encoders };
  trainees = together(
    encoders.map(({ spec, source }) => ({
      encoder: spec.name,
      source,
      adapters: on(spec, source),
    })),
  );
  values = trainees.start();
});

/** LoRA of rank 2 whose factors both are random, on all that is trained of an encoder. */
const on = ({ name }: TextEncoder['spec'], source: TextEncoder['source']): Adapter[] =>
  trainedEncoderModules(source, { name, alone: false }, {}).map((module, i) => ({
    module,
    parts: {
      up: numbers([module.shape[0], 2], 2 * i),
      down: numbers([2, module.shape[1]], 2 * i + 1),
    },
    alpha: 2,
  }));

/** The small encoders know few tokens. */
const special = { start: 1, end: 2, pad: 2 };

/** A row of 77 tokens; the second word may have a weight. */
function row(words: readonly number[], weight = 1) {
  const padding = new Array<number>(76 - words.length).fill(special.end);
  const ids = [special.start, ...words, ...padding];
  const weights = ids.map((_, i) => (i === 2 ? weight : 1));
  return { ids, weights, wordIds: ids.map(() => 0) };
}

const prompts = {
  'one row': [row([320, 112])],
  'two rows, one with emphasis': [row([320, 112], 1.4), row([236])],
};

describe('the gradient of an encoding', () => {
  it.each(Object.entries(prompts))('is that of its differences: %s', async (_, batches) => {
    const tokens = { clip_l: batches, clip_h: batches };
    const run = { runtime };
    const encode = textTrainer(
      clip,
      { trainees, values, strength: 0.7 },
      { run, recompute: false },
    );
    const { entry, learn } = await encode(tokens);
    const from: TextGradient = {
      cross: numbers(entry.cross.shape, 100),
      pooled: numbers(entry.pooled!.shape, 101),
    };
    const gradient = new Float32Array(values.length);
    await learn(from, gradient);

    const start = values.slice();
    const length = Math.hypot(...gradient);
    const step = 1e-2;
    const productAt = async (by: number): Promise<number> => {
      values.forEach((_, i) => (values[i] = start[i] + (by * gradient[i]) / length));
      const { entry } = await encode(tokens);
      const along = (a: NDArray, b: NDArray): number =>
        a.data.reduce((s, v, i) => s + v * b.data[i], 0);
      return along(entry.cross, from.cross!) + along(entry.pooled!, from.pooled!);
    };
    const slope = ((await productAt(step)) - (await productAt(-step))) / (2 * step);
    values.set(start);
    expect(Math.abs(slope / length - 1)).toBeLessThan(0.01);

    // the last layer of the first encoder is not run: nothing is learnt of it
    for (const { name, offset, size } of trainees.layout.list) {
      const isIdle = /^clip_l\..*layers\.3\./.test(name);
      expect(
        gradient.subarray(offset, offset + size).some((v) => v !== 0),
        name,
      ).toBe(!isIdle);
    }
  });

  it('counts those inputs alone that a model has', async () => {
    const tokens = { clip_l: prompts['one row'], clip_h: prompts['one row'] };
    const options = { run: { runtime }, recompute: true };
    const encode = textTrainer(clip, { trainees, values }, options);
    const { entry, learn } = await encode(tokens);
    const cross = numbers([2, ...entry.cross.shape.slice(1)], 5);
    const gradient = new Float32Array(values.length);
    await learn(rowOf({ cross }, 1), gradient);
    expect(rowOf({ cross }, 1)).not.toHaveProperty('pooled');
    expect(gradient.some((v) => v !== 0)).toBe(true);
  });
});
