/** A file that is no table is read in one sitting: at most 400 lines. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const LIMIT = 400;
/** Rows of data, and cases one after another. */
const TABLES = ['engine/sampling/latent/formats.ts', 'tests/engine/onnx/op-cases.ts'];

const root = fileURLToPath(new URL('../..', import.meta.url));
const FOLDERS = 'engine nodes web cli custom_nodes tests bench docs .ci bin'.split(' ');

test('no file but tables is longer than 400 lines', () => {
  const files = FOLDERS.flatMap(
    (folder) =>
      readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(ts|tsx|js|css)$/.test(name) && !/node_modules|dist/.test(name))
        .map((name) => `${folder}/${name}`), // with the system's own separator
  );
  const long = files
    .filter((file) => lines(file) > LIMIT)
    .map((file) => file.replaceAll('\\', '/'));
  expect(files.length).toBeGreaterThan(500);
  expect(long.sort()).toEqual(TABLES);
});

const lines = (file: string): number =>
  readFileSync(`${root}${file}`, 'utf8').split('\n').length - 1;
