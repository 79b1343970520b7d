import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { TYPESCRIPT } from '../../engine/threads.ts';

test('importing the nodes loads no native inference code (the server imports them too)', () => {
  const script =
    "await import('./nodes/index.ts');" +
    'const loaded = process.report.getReport().sharedObjects.filter((f) => /onnxruntime/.test(f));' +
    'process.stdout.write(JSON.stringify(loaded));';
  const out = execFileSync(
    process.execPath,
    ['--import', TYPESCRIPT, '--input-type=module', '-e', script],
    { cwd: join(import.meta.dirname, '../..'), encoding: 'utf8' },
  );
  expect(JSON.parse(out)).toEqual([]);
});

/** Files that are loaded with `entry`: what `import()` brings later does not count. */
function loadedWith(entry: string): string[] {
  const root = join(import.meta.dirname, '../..');
  const seen = new Set<string>();
  const waiting = [join(root, entry)];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const imports = /^(?:import|export) (?!type )(?:[^'";]*? from )?'(\.[^']+)'/gm;
    for (const [, path] of readFileSync(file, 'utf8').matchAll(imports)) {
      waiting.push(resolve(dirname(file), path));
    }
  }
  return [...seen].map((file) => relative(root, file));
}

test('listing the nodes loads no samplers, model families, loaders or sessions', () => {
  const heavy =
    /^engine\/(sampling\/(samplers|driver|schedules)|arch\/families|values\/load-|onnx|runtime)/;
  expect(loadedWith('nodes/index.ts').filter((file) => heavy.test(file))).toEqual([]);
  expect(loadedWith('nodes/index.ts').length).toBeGreaterThan(50);
});
