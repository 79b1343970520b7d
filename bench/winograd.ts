/**
 * What convolutions by Winograd's method bring: a step of a UNet of Stable Diffusion 1.5's size without
 * them, with those that the runtime chooses, and with all that gain; in turn, the least of several.
 *
 *     node --import ./bin/typescript.js bench/winograd.ts [latent size = 64] [rounds = 4]
 */
import { sd1 } from '../engine/arch/families/sd1.ts';
import { winogradLayers } from '../engine/onnx/winograd.ts';
import { estimateMemory } from '../engine/runtime/memory.ts';
import { createPreparedWeights } from '../engine/runtime/prepared-weights.ts';
import { providers } from '../engine/runtime/providers.ts';
import { type Session, type SessionInput, openSession } from '../engine/runtime/session.ts';
import { openWeights } from '../engine/tensor/cursor.ts';
import { type Program, trace } from '../engine/tensor/trace.ts';
import { openSafetensors } from '../engine/weights/safetensors.ts';
import { sub } from '../engine/weights/source.ts';
import { randomSd15 } from './make-sd15.ts';

const size = Number(process.argv[2] ?? 64);
const rounds = Number(process.argv[3] ?? 4);

const source = sub(await openSafetensors(await randomSd15()), 'model.diffusion_model.');
const weights = openWeights(source);
const config = sd1.detect({ model: weights, file: weights, values: async () => undefined })!;
const unet = trace('unet', weights, (g) => sd1.network(g, config, new Set()));
await compare('step, batch 2', unet, {
  x: wave([2, 4, size, size]),
  timesteps: wave([2]),
  cross: wave([2, 77, 768]),
});

async function compare(
  what: string,
  program: Program,
  inputs: Readonly<Record<string, SessionInput>>,
): Promise<void> {
  const plain = estimateMemory(program);
  const choices = [0, providers.cpu.winogradBytes(plain), Infinity];
  const prepared = createPreparedWeights();
  const sessions: { session: Session; label: string; least: number }[] = [];
  for (const most of choices) {
    const { layers, bytes } = winogradLayers(program, most);
    const session = await openSession(program, { prepared, winograd: layers });
    const label = `${layers.size} convolutions, ${(bytes / 2 ** 20).toFixed(0)} MiB more`;
    sessions.push({ session, label, least: Infinity });
  }
  for (let round = 0; round <= rounds; round++) {
    for (const entry of sessions) {
      const start = performance.now();
      await entry.session.run(inputs);
      if (round > 0) entry.least = Math.min(entry.least, performance.now() - start);
    }
  }
  for (const { label, least } of sessions) {
    const ratio = (least / sessions[0].least).toFixed(2);
    console.log(`${what}: ${(least / 1000).toFixed(2)} s, ${ratio} (${label})`);
  }
  for (const { session } of sessions) await session.release();
}

function wave(shape: readonly number[]): { data: Float32Array; shape: readonly number[] } {
  const length = shape.reduce((n, dim) => n * dim, 1);
  return { data: Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898)), shape };
}
