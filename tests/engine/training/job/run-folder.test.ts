import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDb } from '../../../../engine/store/db.ts';
import { parseJob } from '../../../../engine/training/job/parse.ts';
import {
  type RunFolder,
  configText,
  openRunFolder,
} from '../../../../engine/training/job/run-folder.ts';
import { openLosses } from '../../../../engine/training/job/losses.ts';
import { writeProgress } from '../../../../engine/training/job/progress.ts';
import { writeSafetensors } from '../../../../engine/weights/write.ts';

let root: string;
let run: RunFolder;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'noodle-run-'));
  run = openRunFolder(join(root, 'output'), 'fox', () => 1_700_000_000_123);
});
afterEach(() => rmSync(root, { recursive: true }));

const save = (path: string, info?: object): Promise<void> =>
  writeSafetensors(
    path,
    new Map([['x', { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) }]]),
    info && { training_info: JSON.stringify(info) },
  );

describe('a run folder', () => {
  it('is made with its samples', () => {
    expect(run.path).toBe(join(root, 'output/fox'));
    expect(existsSync(join(run.path, 'samples'))).toBe(true);
    expect(() => openRunFolder(root, '../x')).toThrow('lies outside the folder');
  });

  it('names saves by their steps, and the last one by the run', () => {
    expect(run.savePath(250)).toBe(join(run.path, 'fox_000000250.safetensors'));
    expect(run.savePath()).toBe(join(run.path, 'fox.safetensors'));
  });

  it('names samples by time, step and place', () => {
    const place = { step: 250, index: 3, count: 12, format: 'jpg' };
    const path = run.writeSample(place, new Uint8Array([1, 2]));
    expect(path).toBe(join(run.path, 'samples/1700000000123__000000250_03.jpg'));
    expect(readFileSync(path)).toEqual(Buffer.from([1, 2]));
    expect(run.writeSample({ ...place, count: 4 }, new Uint8Array())).toMatch(/_3\.jpg$/);
    expect(readdirSync(join(run.path, 'samples'))).toHaveLength(2);
  });
});

describe('old saves', () => {
  const names = (): string[] => readdirSync(run.path).filter((name) => name.startsWith('fox'));
  beforeEach(() => {
    for (const [i, step] of [300, 100, 200, 400].entries()) {
      writeFileSync(run.savePath(step), '');
      utimesSync(run.savePath(step), i, i);
    }
    for (const other of ['fox.safetensors', 'fox_best.safetensors', 'foxes_000000001.safetensors'])
      writeFileSync(join(run.path, other), '');
  });

  it('go, the oldest first, and nothing else does', () => {
    run.dropOldSaves(2);
    expect(names().sort()).toEqual([
      'fox.safetensors',
      'fox_000000200.safetensors',
      'fox_000000400.safetensors',
      'fox_best.safetensors',
      'foxes_000000001.safetensors',
    ]);
  });

  it('all stay for 0', () => {
    run.dropOldSaves(0);
    expect(names()).toHaveLength(7);
  });
});

describe('the newest save', () => {
  it('is none in a new folder', async () => {
    expect(await run.newestSave()).toBeUndefined();
  });

  it('has most steps, by its metadata or its name', async () => {
    await save(run.savePath(500));
    await save(run.savePath(1000), { step: 1000, epoch: 3 });
    await save(join(run.path, 'foxes.safetensors'), { step: 5000 });
    await save(run.file('optimizer'), { step: 5000 });
    expect(await run.newestSave()).toEqual({ path: run.savePath(1000), step: 1000, epoch: 3 });
    await save(run.savePath(), { step: 1000, epoch: 3 });
    expect((await run.newestSave())?.path).toBe(run.savePath());
    await save(join(run.path, 'fox_mine.safetensors'), { step: 1200 });
    expect(await run.newestSave()).toMatchObject({ step: 1200, epoch: 0 });
  });

  it('is no file that cannot be read', async () => {
    writeFileSync(run.savePath(900), 'half of one');
    await save(run.savePath(100), { step: 'many' });
    expect(await run.newestSave()).toMatchObject({ path: run.savePath(100), step: 100 });
  });
});

describe('config.yaml', () => {
  it('reads back as it was', () => {
    const raw = {
      job: 'extension',
      texts: ['yes', 'n', '1e-4', '12:30', '0x10', '', ' a ', 'a: b', '# c', 'e5', 'line\nline\n'],
      numbers: [1e-4, 5e-7, 1000, -0.5, 1e21],
      words: [true, false, null],
      long: `"'{[ ${'word '.repeat(100)}`,
      '*a': { 'y: z': '!tag' },
    };
    run.writeConfig(raw);
    const text = readFileSync(run.file('config'), 'utf8');
    expect(text).toBe(configText(raw));
    expect(parseJob('config.yaml', text, {})).toEqual(raw);
  });
});

describe('losses', () => {
  const line = (step: number, loss = 0.5) => ({ step, loss, rate: 1e-4, seconds: 2 });

  it('have a line a step, and are cut back', async () => {
    const file = run.file('losses');
    const lines = (): string[] => readFileSync(file, 'utf8').trimEnd().split('\n');
    const losses = await openLosses(run, { step: 0, useUiLogger: false });
    for (const step of [1, 2, 3]) losses.append(line(step));
    losses.append(line(4, NaN));
    expect(lines()[0]).toBe('{"step":1,"loss":0.5,"rate":0.0001,"seconds":2}');
    expect(lines()[3]).toContain('"loss":null');
    writeFileSync(file, '{"step":5,"lo', { flag: 'a' });
    const again = await openLosses(run, { step: 2, useUiLogger: false });
    expect(lines()).toHaveLength(2);
    again.append(line(3));
    expect(lines()).toHaveLength(3);
    expect(existsSync(run.file('lossLog'))).toBe(false);
  });

  it("fill ai-toolkit's tables too", async () => {
    const first = await openLosses(run, { step: 0, useUiLogger: true });
    for (const step of [1, 2, 3]) first.append(line(step, step / 2));
    first.close();
    const again = await openLosses(run, { step: 2, useUiLogger: true });
    again.append(line(3, NaN));
    again.close();
    const db = openDb(run.file('lossLog'));
    expect(db.prepare('SELECT step FROM steps ORDER BY step').all()).toHaveLength(3);
    expect(
      db.prepare("SELECT step, value_real FROM metrics WHERE key = 'loss/loss'").all(),
    ).toMatchObject([
      { step: 1, value_real: 0.5 },
      { step: 2, value_real: 1 },
      { step: 3, value_real: null },
    ]);
    expect(db.prepare('SELECT * FROM metric_keys ORDER BY key').all()[0]).toMatchObject({
      key: 'learning_rate',
      first_seen_step: 1,
      last_seen_step: 3,
    });
    db.close();
  });
});

describe('progress', () => {
  it('says how far the run is', () => {
    const progress = { state: 'running', step: 3, steps: 10, updated: 5 } as const;
    writeProgress(run.file('progress'), progress);
    expect(JSON.parse(readFileSync(run.file('progress'), 'utf8'))).toEqual(progress);
  });
});
