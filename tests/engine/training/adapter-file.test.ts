import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { families } from '../../../engine/arch/families/index.ts';
import { adapterMetadata, tagFrequency } from '../../../engine/training/files/metadata.ts';
import { savedType, writeAdapter } from '../../../engine/training/files/write.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { readFloats } from '../../../engine/weights/read.ts';
import { randomFloats } from '../../support/random-weights.ts';

const folder = mkdtempSync(join(tmpdir(), 'adapter-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Facts = Parameters<typeof adapterMetadata>[0];

const facts = (name: string, prediction: string, more: Partial<Facts> = {}): Facts => ({
  model: {
    family: families.find((family) => family.name === name)!,
    config: { guided: true, layers: [0] },
    sampling: { prediction } as Facts['model']['sampling'],
  },
  trainer: 'kohya',
  name: 'mine',
  step: 250,
  epoch: 3,
  network: { module: 'networks.lora', dim: 8, alpha: 4 },
  date: new Date('2026-01-02T03:04:05.678Z'),
  ...more,
});

describe('metadata', () => {
  test('says what was trained, on what and how far', () => {
    const metadata = adapterMetadata(
      facts('sd2', 'v', {
        trigger: 'ohwx',
        resolution: [768, 512],
        meta: { a: { b: 1 }, c: 'd', e: true },
      }),
    );
    expect(metadata).toMatchObject({
      a: '{"b":1}',
      c: 'd',
      e: 'true',
      training_info: '{"step":250,"epoch":3}',
      ss_v2: 'True',
      ss_base_model_version: 'sd_v2_v',
      ss_network_module: 'networks.lora',
      ss_network_dim: '8',
      ss_network_alpha: '4',
      ss_network_args: 'None',
      ss_output_name: 'mine',
      ss_tag_frequency: '{"1_ohwx":{"ohwx":1}}',
      'modelspec.sai_model_spec': '1.0.0',
      'modelspec.architecture': 'stable-diffusion-v2-768-v/lora',
      'modelspec.title': 'mine',
      'modelspec.resolution': '768x512',
      'modelspec.date': '2026-01-02T03:04:05',
      'modelspec.prediction_type': 'v',
      format: 'pt',
    });
    expect(JSON.parse(metadata.software)).toMatchObject({ name: 'noodle' });
    expect('ss_seed' in metadata).toBe(false);
  });

  test('calls base models as either trainer does', () => {
    const base = (name: string, trainer: 'yaml' | 'kohya'): string =>
      adapterMetadata(facts(name, 'eps', { trainer })).ss_base_model_version;
    expect(['sd1', 'sdxl', 'flux', 'lumina2'].map((name) => base(name, 'yaml'))).toEqual([
      'sd_1.5',
      'sdxl_1.0',
      'flux.1',
      'lumina2',
    ]);
    expect(['sd1', 'sdxl', 'flux'].map((name) => base(name, 'kohya'))).toEqual([
      'sd_v1',
      'sdxl_base_v1-0',
      'flux1',
    ]);
    for (const { name } of families) expect(base(name, 'yaml')).not.toBe('');
  });

  test('has every key of sd-scripts once it is told settings', () => {
    const metadata = adapterMetadata(
      facts('sd1', 'eps', { settings: { seed: 7, lowram: false, learning_rate: 1e-4 } }),
    );
    expect(metadata).toMatchObject({
      ss_seed: '7',
      ss_lowram: 'False',
      ss_learning_rate: '0.0001',
      ss_clip_skip: 'None',
      ss_network_dim: '8',
    });
  });

  test('counts the tags of captions', () => {
    const sets = [
      { folder: 'cats', repeats: 2, captions: ['Cat, sitting', 'cat,,  red hair'] },
      { folder: '__proto__', repeats: 1, captions: ['__proto__'] },
    ];
    expect(JSON.stringify(tagFrequency(sets))).toBe(
      '{"2_cats":{"cat":2,"sitting":1,"red hair":1},"1___proto__":{"__proto__":1}}',
    );
  });
});

describe('files', () => {
  test('hold the numbers in the type asked for, and the hashes of their bytes', async () => {
    const path = join(folder, 'a.safetensors');
    const data = randomFloats(700_000);
    const tensors = new Map([['x.lora_up.weight', { data, shape: [700, 1000] }]]);
    for (const [name, dtype] of [
      ['fp32', 'F32'],
      ['half', 'F16'],
      ['bfloat16', 'BF16'],
    ] as const) {
      writeAdapter(path, tensors, { ss_v2: 'False' }, savedType(name, 'save.dtype'));
      const bytes = readFileSync(path);
      const start = 8 + Number(bytes.readBigUInt64LE());
      const sha256 = (part: Uint8Array): string => createHash('sha256').update(part).digest('hex');
      const { metadata, tensors: read } = await openSafetensors(path);
      expect(metadata).toEqual({
        ss_v2: 'False',
        sshs_model_hash: sha256(bytes.subarray(start)),
        sshs_legacy_hash: sha256(bytes.subarray(0x100000, 0x110000)).slice(0, 8),
      });
      const entry = read.get('x.lora_up.weight')!;
      expect(entry.dtype).toBe(dtype);
      const got = await readFloats(entry);
      const worst = got.reduce((most, value, i) => Math.max(most, Math.abs(value - data[i])), 0);
      expect(worst).toBeLessThan(dtype === 'BF16' ? 2 ** -8 : 2 ** -11);
    }
    expect(readdirSync(folder)).toEqual(['a.safetensors']);
  });

  test('are not saved in types that lose the training', () => {
    expect(() => savedType('float8', 'save.dtype')).toThrow(/save\.dtype.*float32.*bf16.*float8/);
  });
});
