import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { discard, newDiskFile, newFile } from '../../../engine/runtime/weight-files.ts';

it('removes what dead processes left, and only that', async () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const [stale, reused, alive] = [dead, process.pid, process.ppid].map((pid) =>
    join(tmpdir(), `noodle-weights-${pid}-0`),
  );
  for (const path of [stale, reused, alive]) writeFileSync(path, '');
  onTestFinished(() => discard(alive));

  const paths = await Promise.all([newFile(10, 10), newFile(10, Number.MAX_SAFE_INTEGER)]);
  expect([stale, reused].map((path) => existsSync(path) && !paths.includes(path))).toEqual([
    false,
    false,
  ]);
  expect(existsSync(alive)).toBe(true);
  expect(paths[1].startsWith(tmpdir())).toBe(true);
  for (const path of paths) await discard(path);
  expect(paths.map((path) => existsSync(path))).toEqual([false, false]);
});

it('leaves nothing of a file that cannot be made', async () => {
  const own = (): string[] =>
    readdirSync(tmpdir()).filter((name) => name.startsWith(`noodle-weights-${process.pid}-`));
  const before = own();
  await expect(newDiskFile(0.5)).rejects.toThrow();
  expect(own()).toEqual(before);
});
