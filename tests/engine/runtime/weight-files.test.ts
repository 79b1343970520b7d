import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { WeightInitializer } from '../../../engine/onnx/model.ts';
import { createPrepareThreads } from '../../../engine/runtime/prepare-threads.ts';
import { createPreparedWeights } from '../../../engine/runtime/prepared-weights.ts';
import {
  diskFolders,
  discard,
  filledFiles,
  preparedFolders,
} from '../../../engine/runtime/weight-files.ts';
import type { PrepareTask } from '../../../engine/weights/prepare.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { encodeSafetensors, floatTensor } from '../../../engine/weights/write.ts';

const nothing = () => Promise.resolve();
const filesIn = (folder: string): string[] =>
  readdirSync(folder).filter((name) => name.startsWith(`noodle-weights-${process.pid}-`));

it('removes what dead processes left, and only that', async () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const [stale, reused, alive] = [dead, process.pid, process.ppid].map((pid) =>
    join(tmpdir(), `noodle-weights-${pid}-0`),
  );
  for (const path of [stale, reused, alive]) writeFileSync(path, '');
  onTestFinished(() => discard(alive));

  const paths = await filledFiles([10, 20], preparedFolders(), nothing);
  expect([stale, reused].map((path) => existsSync(path) && !paths.includes(path))).toEqual([
    false,
    false,
  ]);
  expect(existsSync(alive)).toBe(true);
  for (const path of paths) await discard(path);
  expect(paths.map((path) => existsSync(path))).toEqual([false, false]);
});

it('leaves nothing of a file that cannot be made', async () => {
  const before = filesIn(tmpdir());
  await expect(filledFiles([8, 0.5], diskFolders(), nothing)).rejects.toThrow('0.5');
  const broken = () => Promise.reject(new Error('broken'));
  await expect(filledFiles([8], diskFolders(), broken)).rejects.toThrow('broken');
  expect(filesIn(tmpdir())).toEqual(before);
});

it('knows before it writes that a folder has no room', async () => {
  const { bavail, bsize } = statfsSync(tmpdir());
  const before = filesIn(tmpdir());
  await expect(filledFiles([bavail * bsize, 1e9], diskFolders(), nothing)).rejects.toThrow(
    /^file 'prepared weights in .*' could not be written: they take [\d.]+ GiB, more than is free/,
  );
  expect(filesIn(tmpdir())).toEqual(before);
});

const mib = 2 ** 20;
const small = mkdtempSync(join(tmpdir(), 'noodle-small-'));
const isMounted =
  spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${8 * mib}`, 'noodle', small]).status === 0;

afterAll(() => {
  if (isMounted) spawnSync('umount', [small]);
  rmSync(small, { recursive: true });
});

// who runs this may not be allowed to mount
describe.skipIf(!isMounted)('in a folder of 8 MiB in memory', () => {
  let disk: string;
  beforeAll(() => (disk = mkdtempSync(join(tmpdir(), 'noodle-disk-'))));
  afterAll(() => rmSync(disk, { recursive: true }));

  const weightsOf = async (count: number): Promise<WeightInitializer[]> => {
    const path = join(disk, `${count}.safetensors`);
    const numbers = 2 ** 18; // 1 MiB in fp32
    const tensors = Array.from({ length: count }, (_, i) => {
      const values = new Float32Array(numbers).fill(i + 1);
      return [`w${i}`, floatTensor(values, [numbers], 'F16')] as const;
    });
    writeFileSync(path, encodeSafetensors(new Map(tensors)));
    const { tensors: entries } = await openSafetensors(path);
    return [...entries].map(([name, entry]) => ({
      name,
      entry,
      stored: entry.shape,
      shape: entry.shape,
      dtype: 'f32',
      layout: { kind: 'float32' },
    })) as unknown as WeightInitializer[];
  };
  const prepared = createPreparedWeights({ threads: 2, folders: [small, tmpdir()] });
  const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

  it('takes the next folder when the first has no room for what others will still write', async () => {
    const four = await weightsOf(4);
    const first = await prepared.acquire(four);
    const place = first.find(four[3])!;
    expect(folderOf(place.path)).toBe(small);
    const bytes = readFileSync(place.path).subarray(place.offset, place.offset + 4);
    expect(bytes.readFloatLE()).toBe(4);
    // 4 MiB are left; a file of another process is to take 2 of them
    const other = join(small, `noodle-weights-${process.ppid}-0`);
    const file = openSync(other, 'w');
    ftruncateSync(file, 2 * mib);
    closeSync(file);
    const weights = await weightsOf(3);
    const second = await prepared.acquire(weights);
    expect(folderOf(second.find(weights[0])!.path)).toBe(tmpdir());
    rmSync(other);
    await second.release();
    const third = await prepared.acquire(weights);
    expect(folderOf(third.find(weights[0])!.path)).toBe(small);
    await Promise.all([first.release(), third.release()]);
    expect(filesIn(small)).toEqual([]);
  });

  it.each([1, 2])(
    'and when it is full half-way, for others write there too: %i files',
    async (n) => {
      const sizes = Array<number>(n).fill((6 / n) * mib);
      const folders: string[] = [];
      const made = await filledFiles(sizes, [small, tmpdir()], (paths) => {
        folders.push(folderOf(paths[0]));
        if (folders.length === 1) writeFileSync(join(small, 'other'), Buffer.alloc(4 * mib));
        for (const path of paths) writeFileSync(path, Buffer.alloc(sizes[0]), { flag: 'r+' });
        return nothing();
      });
      expect(folders).toEqual([small, tmpdir()]);
      expect(readdirSync(small)).toEqual(['other']);
      rmSync(join(small, 'other'));
      for (const path of made) await discard(path);
    },
  );

  it('hears of it from threads too', async () => {
    const target = join(small, 'target');
    const weights = await weightsOf(9);
    const tasks = weights.map(({ entry, stored, layout }, i): PrepareTask => {
      return { dtype: 'F16', shape: stored, bytes: entry.bytes, layout, target: i * mib };
    });
    writeFileSync(target, '');
    const { run } = createPrepareThreads();
    await expect(run({ target, tasks })).rejects.toMatchObject({ code: 'ENOSPC' });
    rmSync(target);
  });

  it('says so when the last folder is full', async () => {
    const only = createPreparedWeights({ threads: 2, folders: [small] });
    const weights = await weightsOf(9);
    await expect(only.acquire(weights)).rejects.toMatchObject({
      code: 'FILE_WRITE',
      message: `file 'prepared weights in ${small}' could not be written: they take 9 MiB, more than is free there`,
    });
    expect(readdirSync(small)).toEqual([]);
  });
});
