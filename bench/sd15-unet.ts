/**
 * A UNet of Stable Diffusion 1.5's size (860 M parameters, fp16 file): how long until it is ready,
 * what one step of batch 2 takes, and the memory it needs.
 *
 *     node --import ./bin/typescript.js bench/sd15-unet.ts [latent size = 64] [steps = 5]
 *
 * Targets on 4 cores with the file in the page cache: ready within 4 s, within 2 s again in the same
 * process; a 64x64 step within 4.85 s (0.85 times ComfyUI's, with its pytorch attention, there).
 */
import { sd1 } from '../engine/arch/families/sd1.ts';
import { createRuntime } from '../engine/runtime/runtime.ts';
import { openWeights } from '../engine/tensor/cursor.ts';
import { type Program, trace } from '../engine/tensor/trace.ts';
import { openSafetensors } from '../engine/weights/safetensors.ts';
import { sub } from '../engine/weights/source.ts';
import { randomSd15 } from './make-sd15.ts';

const size = Number(process.argv[2] ?? 64);
const steps = Number(process.argv[3] ?? 5);
const runtime = createRuntime();
const path = await randomSd15();

for (const time of ['first', 'second', 'third']) {
  const start = performance.now();
  await runtime.session('unet', await program());
  console.log(`ready, ${time} time: ${seconds(start)}   resident ${gigabytes()}`);
  if (time !== 'third') await runtime.unloadAll();
}

const session = await runtime.session('unet', await program());
const inputs = {
  x: wave([2, 4, size, size]),
  timesteps: wave([2]),
  cross: wave([2, 77, 768]),
};
for (let i = 0; i < steps; i++) {
  const start = performance.now();
  await session.run(inputs);
  console.log(`step ${size}x${size}, batch 2: ${seconds(start)}   resident ${gigabytes()}`);
}
await runtime.unloadAll();

async function program(): Promise<() => Program> {
  const source = sub(await openSafetensors(path), 'model.diffusion_model.');
  const weights = openWeights(source);
  const config = sd1.detect({ model: weights, file: weights, values: async () => undefined })!;
  return () => trace('unet', weights, (g) => sd1.network(g, config, new Set()));
}

function wave(shape: readonly number[]): { data: Float32Array; shape: readonly number[] } {
  const length = shape.reduce((n, dim) => n * dim, 1);
  return { data: Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898)), shape };
}

function seconds(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(2)} s`;
}

function gigabytes(): string {
  return `${(process.memoryUsage.rss() / 1e9).toFixed(2)} GB`;
}
