import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('importing the nodes loads no native inference code (the server imports them too)', () => {
  const script =
    "await import('./nodes/index.ts');" +
    'const loaded = process.report.getReport().sharedObjects.filter((f) => /onnxruntime/.test(f));' +
    'process.stdout.write(JSON.stringify(loaded));';
  const out = execFileSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', script],
    { cwd: join(import.meta.dirname, '../..'), encoding: 'utf8' },
  );
  expect(JSON.parse(out)).toEqual([]);
});
