import { expect, test } from 'vitest';
import { detectFamily } from '../../../engine/arch/families/detect.ts';
import { families } from '../../../engine/arch/families/index.ts';
import { nd, zeros } from '../../../engine/array/nd.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import type { ConditioningEntry } from '../../../engine/sampling/conditioning.ts';
import type { Conditioning } from '../../../engine/values/conditioning.ts';
import { diffusion } from '../../../engine/values/model.ts';
import { type SeenPicture, unclipVector } from '../../../engine/values/unclip.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { mergeSources, sub } from '../../../engine/weights/source.ts';
import { unclipConditioning } from '../../../nodes/vision.ts';
import { runNode } from '../../golden/pictures/run-node.ts';
import { runMemory } from '../../support/run-memory.ts';
import { randomFloats, randomSource } from '../../support/random-weights.ts';

const file = new URL('../../golden/data/unet/models/sd2.safetensors', import.meta.url).pathname;

/** The small SD2 of the golden data with a vector condition: two times a picture's 16 numbers. */
async function tinyUnclip() {
  const unet = sub(await openSafetensors(file), 'model.diffusion_model.');
  const [embedding] = unet.tensors.get('time_embed.2.weight')!.shape;
  const label = randomSource({
    'label_emb.0.0.weight': [embedding, 32],
    'label_emb.0.0.bias': [embedding],
    'label_emb.0.2.weight': [embedding, embedding],
    'label_emb.0.2.bias': [embedding],
  });
  const source = mergeSources([unet, label]);
  const read = () => Promise.resolve(undefined);
  const detected = await detectFamily(families, { model: source, file: source, read });
  return { ...detected, source, patches: [] };
}

test('SD2 with a vector is unCLIP; pictures make the vector, without them it is 0', async () => {
  const model = await tinyUnclip();
  expect(model.family.name).toBe('sd2-unclip');
  const runtime = createRuntime({ threads: 1 });
  const sampled = diffusion(model, { runtime });
  const run = { latentShape: [1, 4, 8, 8], noise: zeros([1, 4, 8, 8]), seed: 5 };
  const cross = nd(randomFloats(77 * 64), [1, 77, 64]);
  const seen = (seed: number) => ({ embeds: nd(randomFloats(32, seed), [2, 16]) });

  const text: Conditioning = [{ cross, pooled: zeros([1, 64]) }];
  const input = { conditioning: text, strength: 0.5, noise_augmentation: 0.25 };
  const [one] = await runNode(unclipConditioning, { ...input, clip_vision_output: seen(1) });
  const more = { conditioning: one, clip_vision_output: seen(2), strength: 1 };
  const [both] = await runNode(unclipConditioning, { ...more, noise_augmentation: 0 });
  const [none] = await runNode(unclipConditioning, { ...more, conditioning: text, strength: 0 });
  expect(none).toBe(text);

  const pooled = async (entry: ConditioningEntry) =>
    (await sampled.encodeConditioning(entry, run)).pooled.value;
  expect(await pooled(text[0])).toEqual(zeros([1, 32]));
  const pictures = ([entry]: Conditioning) => entry.extra!.unclip as readonly SeenPicture[];
  expect(pictures(both as Conditioning).map(({ strength }) => strength)).toEqual([0.5, 1]);
  expect(await pooled((both as Conditioning)[0])).toEqual(
    unclipVector(pictures(both as Conditioning), { width: 16, mergeNoise: 0.05, seed: 5 }),
  );

  // the vector reaches the network
  const denoised = async (entry: ConditioningEntry) => {
    const tensors = Object.entries(await sampled.encodeConditioning(entry, run));
    const cond = Object.fromEntries(tensors.map(([name, { value }]) => [name, value]));
    const x = nd(randomFloats(256), [1, 4, 8, 8]);
    const timesteps = Float32Array.of(500);
    const memory = runMemory();
    const parts = [{ list: 0, entry }];
    return sampled.apply({ x, timesteps, cond, sigma: 1, parts, run: memory });
  };
  const [without, with2] = [await denoised(text[0]), await denoised((both as Conditioning)[0])];
  expect(without.data.every(Number.isFinite)).toBe(true);
  expect(with2.data).not.toEqual(without.data);
  await runtime.unloadAll();
});

test('embeddings of another encoder are refused', () => {
  const picture = { output: { embeds: zeros([1, 9, 16]) }, strength: 1, noiseAugmentation: 0 };
  expect(() => unclipVector([picture], { width: 16, mergeNoise: 0, seed: 0 })).toThrow(
    /clip_vision_output.*width 16.*\[1, 9, 16\]/,
  );
});
