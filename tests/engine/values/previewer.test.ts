import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nd } from '../../../engine/array/nd.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { latentFormat } from '../../../engine/sampling/latent/formats.ts';
import { createFolders } from '../../../engine/store/folders.ts';
import { createPreviewer } from '../../../engine/values/previewer.ts';

const decoder = join(import.meta.dirname, '../../golden/data/vae/models/taesd_decoder.safetensors');
const runtime = createRuntime({ threads: 1 });
const latent = nd(
  Float32Array.from({ length: 2 * 4 * 3 * 5 }, (_, i) => Math.sin(i)),
  [2, 4, 3, 5],
);
let base: string;
let approx: string;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'noodle-preview-'));
  approx = join(base, 'models/vae_approx');
  await mkdir(approx, { recursive: true });
});
afterAll(async () => {
  await runtime.unloadAll();
  await rm(base, { recursive: true });
});

function previewer(method: 'none' | 'auto' | 'latent2rgb' | 'taesd', name = 'SD15') {
  const logged: string[] = [];
  const run = {
    runtime,
    folders: createFolders({ base }),
    log: (_: string, t: string) => logged.push(t),
  };
  return { preview: createPreviewer(method, latentFormat(name), run), logged };
}

test('a cell is a pixel, unless TAESD is asked for and there', async () => {
  await copyFile(decoder, join(approx, 'taesd_decoder.safetensors'));
  expect(previewer('none').preview).toBeUndefined();
  expect(await previewer('auto').preview!(latent)).toMatchObject({ width: 5, height: 3 });
  expect(await previewer('latent2rgb').preview!(latent)).toMatchObject({ width: 5, height: 3 });
  const { preview, logged } = previewer('taesd');
  const picture = await preview!(latent);
  expect(picture).toMatchObject({ width: 40, height: 24 });
  expect(new Set(picture!.rgb).size).toBeGreaterThan(10);
  expect(logged).toEqual([]);
});

test('without a decoder that works latent2rgb goes on, and the log says why once', async () => {
  const missing = previewer('taesd', 'SDXL');
  await missing.preview!(latent);
  expect(await missing.preview!(latent)).toMatchObject({ width: 5, height: 3 });
  expect(missing.logged).toEqual([
    'no TAESD previews: models/vae_approx has no taesdxl_decoder.safetensors',
  ]);
  await writeFile(join(approx, 'taesdxl_decoder.safetensors'), 'broken');
  const broken = previewer('taesd', 'SDXL');
  expect(await broken.preview!(latent)).toMatchObject({ width: 5, height: 3 });
  expect(broken.logged).toHaveLength(1);
});
