/** LoRAs in diffusers' names on files that keep q, k and v in one matrix. */
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { nd } from '../../../engine/array/nd.ts';
import { families } from '../../../engine/arch/families/index.ts';
import { fitAdapters, loraPatch } from '../../../engine/patch/lora/lora.ts';
import { unetNames } from '../../../engine/patch/lora/names.ts';
import { readAdapters } from '../../../engine/patch/lora/read.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { diffusionModelOf } from '../../../engine/values/load-checkpoint.ts';
import { type Model, diffusion } from '../../../engine/values/model.ts';
import { openSource } from '../../../engine/weights/open.ts';
import { memorySource } from '../../../engine/weights/source.ts';
import { ownGoldenDir } from '../../support/golden.ts';
import { randomFloats } from '../../support/random-weights.ts';
import { runMemory } from '../../support/run-memory.ts';

const runtime = createRuntime({ threads: 1 });
afterAll(() => runtime.unloadAll());

const rank = 2;
const width = 64;

type Entry = readonly [name: string, shape: readonly number[], data: Float32Array];

const file = (entries: readonly Entry[]) =>
  readAdapters(
    memorySource(
      'lora',
      'lora',
      entries.map(([name, shape, data]) => [
        name,
        { dtype: 'F32', shape, bytes: new Uint8Array(data.buffer.slice(0)) },
      ]),
    ),
  );

async function answer(model: Model): Promise<Float32Array> {
  const run = diffusion(model, { runtime });
  const x = nd(randomFloats(16 * 6 * 4, 1), [1, 16, 6, 4]);
  const entry = {
    cross: nd(randomFloats(10 * 96, 2), [1, 10, 96]),
    pooled: nd(randomFloats(48, 3), [1, 48]),
  };
  const given = await run.encodeConditioning(entry, { latentShape: x.shape, noise: x });
  const cond = Object.fromEntries(Object.entries(given).map(([name, { value }]) => [name, value]));
  const parts = [{ list: 0, entry }];
  const asked = { x, timesteps: Float32Array.of(0.5), cond, sigma: 0.5, parts, run: runMemory() };
  return (await run.apply(asked)).data;
}

describe('a LoRA of single projections', () => {
  test.each([
    [
      'to_k of a double block',
      'transformer_blocks.0.attn.to_k',
      'double_blocks.0.img_attn.qkv',
      1,
      3,
    ],
    ['add_v_proj', 'transformer_blocks.0.attn.add_v_proj', 'double_blocks.0.txt_attn.qkv', 2, 3],
    [
      'to_q of a single block',
      'single_transformer_blocks.0.attn.to_q',
      'single_blocks.0.linear1',
      0,
      7,
    ],
  ])('%s is that of its rows of the whole matrix', async (_, name, module, part, parts) => {
    const source = await openSource(join(ownGoldenDir('dit'), 'model_flux_dev.safetensors'));
    const model = await diffusionModelOf(source, families);
    const up = randomFloats(width * rank, 4);
    const down = randomFloats(rank * width, 5);
    const whole = new Float32Array(parts * width * rank);
    whole.set(up, part * width * rank);
    const own = await file([
      [`transformer.${name}.lora_B.weight`, [width, rank], up],
      [`transformer.${name}.lora_A.weight`, [rank, width], down],
    ]);
    const plain = await file([
      [`lora_unet_${module.replaceAll('.', '_')}.lora_up.weight`, [parts * width, rank], whole],
      [`lora_unet_${module.replaceAll('.', '_')}.lora_down.weight`, [rank, width], down],
    ]);
    const names = unetNames(model.source.tensors.keys());
    const withFile = ({ entries }: typeof own, merged = false): Model => {
      const fitted = fitAdapters(entries, names, model.source);
      expect(fitted.misfits).toEqual([]);
      expect(fitted.taken.size).toBe(1);
      const acts = merged
        ? new Map([...fitted.acts].map(([key, act]) => [key, { ...act, beside: undefined }]))
        : fitted.acts;
      return { ...model, patches: [loraPatch('lora0', { ...fitted, acts }, 0.8)] };
    };
    const expected = await answer(withFile(plain));
    const difference = (got: Float32Array): number =>
      Math.max(...got.map((value, i) => Math.abs(value - expected[i])));
    expect(difference(await answer(withFile(own)))).toBeLessThan(1e-5);
    expect(difference(await answer(withFile(own, true)))).toBeLessThan(1e-4);
    expect(difference(await answer(model))).toBeGreaterThan(1e-3);
  });

  test('one projection after the other adds up', async () => {
    const source = await openSource(join(ownGoldenDir('dit'), 'model_flux_dev.safetensors'));
    const names = unetNames(source.tensors.keys());
    const of = (name: string, seed: number): Entry[] => [
      [`transformer.${name}.lora_B.weight`, [width, rank], randomFloats(width * rank, seed)],
      [`transformer.${name}.lora_A.weight`, [rank, width], randomFloats(rank * width, seed + 1)],
    ];
    const block = 'transformer_blocks.0.attn';
    const { entries } = await file([...of(`${block}.to_q`, 1), ...of(`${block}.to_v`, 3)]);
    const { acts } = fitAdapters(entries, names, source);
    const [[key, { arrays }]] = [...acts];
    expect(key).toBe('double_blocks.0.img_attn.qkv.weight');
    expect(Object.keys(arrays)).toEqual(['0:up', '0:down', '128:up', '128:down']);
  });
});
