import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createPrepareThreads } from '../../../engine/runtime/prepare-threads.ts';

const folder = mkdtempSync(join(tmpdir(), 'noodle-threads-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Four numbers behind their header, to be copied. */
const job = (name: string) => {
  const source = join(folder, 'source');
  const target = join(folder, name);
  writeFileSync(source, Float32Array.of(9, 1, 2, 3, 4));
  writeFileSync(target, new Uint8Array(16));
  const bytes = { kind: 'file', path: source, identity: 'source', offset: 4 } as const;
  const task = { dtype: 'F32', shape: [4], bytes, layout: { kind: 'stored' }, target: 0 } as const;
  return { target, tasks: [task] };
};
const numbers = (path: string): number[] => [
  ...new Float32Array(Uint8Array.from(readFileSync(path)).buffer),
];

it('do their jobs, whether they were started before or not; what waits can be ended', async () => {
  const threads = createPrepareThreads();
  threads.start(1);
  const jobs = [job('a'), job('b')];
  await Promise.all(jobs.map(threads.run));
  for (const { target } of jobs) expect(numbers(target)).toEqual([1, 2, 3, 4]);
  threads.start(2);
  threads.dismiss();
  const after = job('c');
  await threads.run(after);
  expect(numbers(after.target)).toEqual([1, 2, 3, 4]);
});

it('say what went wrong', async () => {
  const threads = createPrepareThreads();
  threads.start(1);
  const { tasks } = job('d');
  const run = threads.run({ target: join(folder, 'none'), tasks });
  await expect(run).rejects.toMatchObject({ code: 'ENOENT' });
});
