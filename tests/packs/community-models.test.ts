/**
 * What the community pack does to models. The numbers were computed by the pack's own node on ComfyUI, with
 * its lists of blocks cut to those of the tiny network.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelPatchNodes } from '../../custom_nodes/community/model-patches.ts';
import { concat } from '../../engine/array/batch.ts';
import { type NDArray, full, zeros } from '../../engine/array/nd.ts';
import { families } from '../../engine/arch/families/index.ts';
import type { Context } from '../../engine/node.ts';
import { attentionCouplePatch } from '../../engine/patch/attention-couple.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import type { Conditioning, ConditioningEntry } from '../../engine/sampling/conditioning.ts';
import { sampleLatent } from '../../engine/sampling/driver.ts';
import { loadCheckpoint } from '../../engine/values/load-checkpoint.ts';
import { type Model, diffusion } from '../../engine/values/model.ts';
import { readFloats } from '../../engine/weights/read.ts';
import { openSafetensors } from '../../engine/weights/safetensors.ts';
import { encodeSafetensors, floatTensor } from '../../engine/weights/write.ts';
import { randomFloats } from '../support/random-weights.ts';

const named = (name: string) => modelPatchNodes.find((node) => node.name === name)!;
const path = (file: string) => new URL(`../../${file}`, import.meta.url).pathname;

const tinyScenes = path('models/checkpoints/tiny-scenes.safetensors');

describe('Attention couple', async () => {
  const golden = await openSafetensors(
    path('tests/fixtures/community/attention-couple.safetensors'),
  );
  const array = async (name: string): Promise<NDArray> => {
    const entry = golden.tensors.get(name)!;
    return { data: await readFloats(entry), shape: entry.shape };
  };
  const { model } = await loadCheckpoint(
    path('models/checkpoints/tiny-scenes.safetensors'),
    families,
  );
  const [left, right] = [await array('left'), await array('right')];
  const entry = async (name: string, mask?: NDArray, maskStrength = 1) => {
    const cross = await array(name);
    return mask ? { cross, mask, maskStrength } : { cross };
  };
  const often = (given: ConditioningEntry, times: number): ConditioningEntry => ({
    ...given,
    cross: concat(Array<NDArray>(times).fill(given.cross), 1),
  });
  const couple = (positive: Conditioning, negative: Conditioning, mode = 'Attention') =>
    named('Attention couple').run({ model, positive, negative, mode }, {} as never) as Promise<
      [Model, Conditioning, Conditioning]
    >;

  it.each([
    ['positive', ['pos', 0.7], ['neg'], 1],
    ['both', ['pos', 0.7], ['neg', 0.5], 2],
    ['lengths', ['pos', 1], ['short'], 1],
    // The same prompt so often that it shares no attention with the other side's.
    ['both', ['pos', 0.7], ['neg', 0.5, 5], 2],
  ] as const)('mixes prompts as the original: %s', async (name, [, strength], side, batch) => {
    const runtime = createRuntime({ threads: 2 });
    const positive = [await entry('positive', left), await entry('other', right, strength)];
    const negative =
      side.length > 1
        ? [await entry('negative', right), often(await entry('positive', left, 0.5), side[2] ?? 1)]
        : [await entry(side[0] === 'neg' ? 'negative' : 'short')];
    const [on, ...lists] = await couple(positive, negative);
    const ours = await sampleLatent({
      model: diffusion(on, { runtime }),
      positive: lists[0],
      negative: lists[1],
      latent: zeros([batch, 4, 16, 24]),
      steps: 2,
      cfg: 5,
      sampler: 'euler',
      scheduler: 'normal',
      seed: 7,
      denoise: 1,
    });
    const theirs = await array(`out ${name}`);
    expect(ours.shape).toEqual(theirs.shape);
    const worst = ours.data.reduce((most, v, i) => Math.max(most, Math.abs(v - theirs.data[i])), 0);

    expect(worst).toBeLessThan(1e-3);
    await runtime.unloadAll();
  });

  it('leaves single prompts and latent couples alone, and counts once', async () => {
    const [one, other] = [await entry('positive', left), await entry('other', right)];
    const plain = [await entry('negative')];
    expect((await couple([one], plain))[0]).toBe(model);
    expect((await couple([one, other], plain, 'Latent'))[1]).toEqual([one, other]);
    const [on, [first]] = await couple([one, other], plain);
    expect(first).toEqual({ cross: one.cross });
    const inputs = { model: on, positive: [one, other, one], negative: plain, mode: 'Attention' };
    const [again] = (await named('Attention couple').run(inputs, {} as never)) as [Model];
    expect(again.patches).toHaveLength(1);
  });

  it('feeds no more than a few times what the prompts hold', async () => {
    const tokens = (length: number, value: number) => full([1, length, 8], value);
    const weight = full([1, 4, 4], 0.5);
    const list = (...lengths: number[]) =>
      lengths.map((length, i) => ({ context: tokens(length, i), weight }));
    const regions = [list(77 * 13, 77, 77 * 3), list(77 * 13, 77 * 997, 77 * 2)];
    const patch = attentionCouplePatch(regions, []);
    const feed = (positive: number, negative: number) =>
      patch.feeds!({
        rows: 2,
        input: {
          x: zeros([2, 4, 4, 4]),
          sigma: 1,
          parts: [
            { list: 2, entry: { cross: tokens(negative, 0) } },
            { list: 0, entry: { cross: tokens(positive, 0) } },
          ],
        } as never,
      });
    const lengths = Object.entries(await feed(1, 77 * 13)).map(
      ([, fed]) => (fed as NDArray).shape[1],
    );
    expect(lengths).toEqual([77 * 13, 77, 77 * 13, 77 * 3]);
    expect(() => feed(1, 77 * 17)).toThrow('1309 and 1001 tokens');
  });

  it('needs masks that cover the picture', async () => {
    const [one, bare] = [await entry('positive', left), await entry('other')];
    await expect(couple([one, bare], [bare])).rejects.toThrow('a mask of one size');
    const nothing = await entry('other', zeros(left.shape));
    await expect(couple([nothing, nothing], [bare])).rejects.toThrow('cover the whole picture');
  });
});

describe('LoadBLoRA', async () => {
  const { model } = await loadCheckpoint(tinyScenes, families);
  const keys = [0, 1].map((i) => `output_blocks.${i}.1.transformer_blocks.0.attn1.to_k.weight`);
  const width = model.source.tensors.get(keys[0])!.shape[0];
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'noodle-b-lora-'));
    const tensor = (...shape: number[]) => floatTensor(randomFloats(2 * width), shape, 'F16');
    const pair = (name: string, up: string, down: string) =>
      [
        [`${name}${up}`, tensor(width, 2)],
        [`${name}${down}`, tensor(2, width)],
      ] as const;
    const attention = 'transformer_blocks.0.attn1.to_k';
    const dotted = [0, 1].flatMap((i) =>
      pair(
        `unet.unet.up_blocks.0.attentions.${i}.${attention}`,
        '.lora.up.weight',
        '.lora.down.weight',
      ),
    );
    const flat = [0, 1, 2].flatMap((i) =>
      pair(
        `lora_unet_up_blocks_0_attentions_${i}_${attention.replaceAll('.', '_')}`,
        '.lora_up.weight',
        '.lora_down.weight',
      ),
    );
    await writeFile(join(folder, 'dotted.safetensors'), encodeSafetensors(new Map(dotted)));
    await writeFile(join(folder, 'flat.safetensors'), encodeSafetensors(new Map(flat)));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(['dotted.safetensors', 'flat.safetensors'])(
    'takes style or content: %s',
    async (file) => {
      const modelFile = (_: string, name: string) => join(folder, name);
      const context = { services: { folders: { modelFile } } } as unknown as Context;
      const load = async (load_style: boolean, load_content: boolean, strength = 1) => {
        const inputs = { model, lora_name: file, load_style, load_content, strength };
        const [on] = (await named('LoadBLoRA').run(inputs, context)) as [Model];
        return on.patches.flatMap(({ keys }) => [...keys!]);
      };
      expect(await load(true, false)).toEqual([keys[1]]);
      expect(await load(false, true)).toEqual([keys[0]]);
      expect((await load(true, true)).sort()).toEqual(keys);
      expect(await load(true, true, 0)).toEqual([]);
    },
  );
});
