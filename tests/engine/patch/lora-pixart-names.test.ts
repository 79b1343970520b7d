import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { unetNames } from '../../../engine/patch/lora/names.ts';
import { goldenDir } from '../../support/golden.ts';
import { manifestSource, readManifest } from '../../support/manifest.ts';

type Place = readonly [key: string, rows?: readonly [axis: number, start: number, length: number]];

// oracle: ComfyUI's map of diffusers' names, of 28 blocks 1152 wide
const file = join(goldenDir('model-detection'), 'diffusers-name-maps.json');
const theirs: readonly (readonly [string, Place])[] = existsSync(file)
  ? Object.entries((JSON.parse(readFileSync(file, 'utf8')) as { maps: Maps }).maps.pixart)
  : [];
interface Maps {
  readonly pixart: Readonly<Record<string, Place>>;
}

describe("PixArt in diffusers' names", () => {
  const manifest = readManifest('pixart_alpha');
  test.skipIf(theirs.length === 0 || !manifest)('LoRAs may use them for the rows they mean', () => {
    const { tensors } = manifestSource(manifest!);
    const keys = [...tensors.keys()].map((key) => key.replace('model.diffusion_model.', ''));
    const names = unetNames(keys);
    for (const [name, [key, rows]] of theirs) {
      if (!name.endsWith('.weight') || !keys.includes(key)) continue;
      for (const prefix of ['transformer.', 'base_model.model.', 'unet.base_model.model.']) {
        const found = names.get(prefix + name.replace(/\.weight$/, ''))!;
        const { shape } = tensors.get(`model.diffusion_model.${key}`)!;
        if (typeof found === 'string') {
          expect([found, rows?.[2] ?? shape[0]]).toEqual([key, shape[0]]);
        } else {
          expect(found.key).toBe(key);
          expect(found.rows(shape)).toEqual([rows![1], rows![1] + rows![2]]);
        }
      }
    }
  });
});
