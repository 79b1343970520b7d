/**
 * A LoRA on a UNet of SD1.5's size: the first call with one, and what another strength costs.
 *
 *   node --import ./bin/typescript.js bench/lora.ts [--size 32] [--rank 16]
 *
 * Random weights (make-sd15.ts) and a random LoRA on every attention projection, as kohya's trainer
 * writes one (192 pairs). Ratios are to a step of the same network without a LoRA.
 */
import { parseArgs } from 'node:util';
import { zeros } from '../engine/array/nd.ts';
import { families } from '../engine/arch/families/index.ts';
import { fitAdapters, loraPatch } from '../engine/patch/lora/lora.ts';
import { unetNames } from '../engine/patch/lora/names.ts';
import { readAdapters } from '../engine/patch/lora/read.ts';
import { createRuntime } from '../engine/runtime/runtime.ts';
import { TorchGenerator } from '../engine/sampling/noise/torch-generator.ts';
import { type Model, diffusion } from '../engine/values/model.ts';
import { loadCheckpoint } from '../engine/values/load-checkpoint.ts';
import { memorySource } from '../engine/weights/source.ts';
import { floatTensor } from '../engine/weights/write.ts';
import { randomSd15 } from './make-sd15.ts';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '32' },
    rank: { type: 'string', default: '16' },
  },
});
const size = Number(values.size);
const runtime = createRuntime({});
const { model } = await loadCheckpoint(await randomSd15(), families);

/** Small random factors for every projection of every attention. */
function randomLora(rank: number) {
  const random = (...shape: number[]) => {
    const data = Float32Array.from({ length: shape[0] * shape[1] }, () => Math.random() - 0.5);
    return floatTensor(data, shape, 'F16');
  };
  const tensors = [...model.source.tensors].flatMap(([key, { shape }]) => {
    if (!/\.attn[12]\.to_(q|k|v|out\.0)\.weight$/.test(key)) return [];
    const name = `diffusion_model.${key.replace(/\.weight$/, '')}`;
    return [
      [`${name}.lora_up.weight`, random(shape[0], rank)],
      [`${name}.lora_down.weight`, random(rank, shape[1])],
    ] as const;
  });
  return memorySource('lora', 'lora', tensors);
}

const cross = { value: zeros([2, 77, 768]), along: 'tokens' } as const;

/** Milliseconds of one call of two rows. */
async function step(on: Model): Promise<number> {
  const began = performance.now();
  await diffusion(on, { runtime }).apply({
    x: zeros([2, 4, size, size]),
    timesteps: Float32Array.of(500, 500),
    cond: { cross: cross.value },
    sigma: 2,
    parts: [{ list: 0, entry: { cross: zeros([1, 77, 768]) } }],
    run: {
      state: new Map(),
      generator: () => new TorchGenerator(0),
      sigmas: Float32Array.of(1, 0),
    },
  });
  return performance.now() - began;
}

const least = (times: readonly number[]): number => Math.min(...times);
const several = async (on: (i: number) => Model, count = 6): Promise<number> => {
  const times: number[] = [];
  for (let i = 0; i < count; i++) times.push(await step(on(i)));
  return least(times);
};

await step(model); // opens the session
const plain = await several(() => model);
const began = performance.now();
const { entries } = await readAdapters(randomLora(Number(values.rank)));
const fitted = fitAdapters(entries, unetNames(model.source.tensors.keys()), model.source);
const read = performance.now() - began;
const withLora = (strength: number): Model => ({
  ...model,
  patches: [loraPatch('lora0', fitted, strength)],
});
const first = await step(withLora(1));
const same = await several(() => withLora(1));
const other = await several((i) => withLora(0.1 * (i + 1)));

const ms = (value: number): string => `${value.toFixed(0)} ms`;
const ratio = (value: number): string => `${(value / plain).toFixed(2)} x`;
console.log(`${fitted.acts.size} pairs of rank ${values.rank}, latent ${size} x ${size}, 2 rows`);
console.log(`step without LoRA         ${ms(plain)}`);
console.log(`factors read and fitted   ${ms(read)}`);
console.log(`first call with the LoRA  ${ms(first)}  (a step and ${ms(first - same)} of opening)`);
console.log(`step with the LoRA        ${ms(same)}  ${ratio(same)}`);
console.log(`step at another strength  ${ms(other)}  ${ratio(other)}`);
await runtime.unloadAll();
