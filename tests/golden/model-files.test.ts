import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { goldenDir } from '../support/golden.ts';
import { sourcesFor } from './areas/end-to-end.ts';
import { findModelFile, modelFile } from './model-file.ts';

const dir = mkdtempSync(join(tmpdir(), 'noodle-cases-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('a folder of cases brings its own models; the usual ones come after them', () => {
  for (const name of ['checkpoints', 'hypernetworks', 'unet']) {
    mkdirSync(join(dir, 'models', name), { recursive: true });
  }
  const sources = sourcesFor(dir);
  const own = sources.filter(([, folder]) => folder.startsWith(dir));
  expect(own.map(([target]) => target).sort()).toEqual([
    'input',
    'models/checkpoints',
    'models/hypernetworks',
    'models/unet',
  ]);
  expect(sources.slice(0, own.length)).toEqual(own);
  expect(sources.map(([target]) => target)).toContain('models/loras');
});

test('a file that is in neither place is named', () => {
  writeFileSync(join(dir, 'models', 'own.safetensors'), '');
  expect(modelFile(dir, 'unet', 'models/own.safetensors')).toBe(
    join(dir, 'models/own.safetensors'),
  );
  const usual = modelFile(dir, 'unet', 'models/sd2.safetensors');
  expect(usual).toBe(join(goldenDir('unet'), 'models/sd2.safetensors'));
  expect(findModelFile(dir, 'unet', 'models/gone.safetensors')).toBeUndefined();
  expect(() => modelFile(dir, 'unet', 'models/gone.safetensors')).toThrow(
    "model file 'models/gone.safetensors' lies neither in",
  );
});
