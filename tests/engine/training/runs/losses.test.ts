/** Losses, samples and saves as they are found in the folder of a run. */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { samplesOf, savesOf } from '../../../../engine/training/runs/files.ts';
import { lastLosses, lossesAfter, secondsOfStep } from '../../../../engine/training/runs/losses.ts';
import { readProgress } from '../../../../engine/training/runs/progress.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'noodle-run-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const line = (step: number): string =>
  `${JSON.stringify({ step, loss: step / 10, rate: 1e-4, seconds: step > 9000 ? 2 : 1 })}\n`;
const write = (file: string, text: string): void => writeFileSync(join(folder, file), text);
const steps = (list: readonly { step: number }[]): number[] => list.map(({ step }) => step);

describe('the losses of a run', () => {
  it('are read from the end, as many as are asked for', () => {
    const all = Array.from({ length: 10_000 }, (_, i) => i + 1);
    write('losses.jsonl', all.map(line).join(''));
    expect(steps(lossesAfter(folder, 9997))).toEqual([9998, 9999, 10_000]);
    expect(steps(lossesAfter(folder, 0))).toEqual(all);
    expect(steps(lossesAfter(folder, 500))).toEqual(all.slice(500));
    expect(lossesAfter(folder, 10_000)).toEqual([]);
    expect(steps(lastLosses(folder, 2))).toEqual([9999, 10_000]);
    expect(secondsOfStep(folder)).toBe(2);
  });

  it('are those of whole lines that can be read', () => {
    expect(lossesAfter(folder, 0)).toEqual([]);
    expect(secondsOfStep(folder)).toBeUndefined();
    write('losses.jsonl', `${line(1)}nonsense\n[]\nnull\n{"step":2,"loss":null,"rate":"x"}\n`);
    appendFileSync(join(folder, 'losses.jsonl'), '{"step":3,"lo');
    expect(lossesAfter(folder, 0)).toEqual([
      { step: 1, loss: 0.1, rate: 1e-4, seconds: 1 },
      { step: 2, loss: null, rate: null, seconds: null },
    ]);
  });
});

describe('the files of a run', () => {
  it('are samples by step and prompt, the later of two', () => {
    mkdirSync(join(folder, 'samples'));
    for (const name of [
      '1700000000001__000000010_1.jpg',
      '1700000000000__000000010_0.jpg',
      '1700000009000__000000010_0.jpg',
      '1700000000500__000000000_0.png',
      'notes.jpg',
    ]) {
      write(`samples/${name}`, '');
    }
    expect(samplesOf(folder).map(({ step, index, made }) => [step, index, made])).toEqual([
      [0, 0, 1700000000500],
      [10, 0, 1700000009000],
      [10, 1, 1700000000001],
    ]);
  });

  it('are saves, the last first; not the state, nor what has another name', () => {
    for (const name of [
      'cat.safetensors',
      'cat_000000020.safetensors',
      'cat_000000010.safetensors',
    ]) {
      write(name, 'x');
    }
    for (const name of ['optimizer.safetensors', 'dog.safetensors', 'cat.txt']) write(name, '');
    expect(savesOf(folder, 'cat').map(({ filename, step }) => [filename, step])).toEqual([
      ['cat.safetensors', null],
      ['cat_000000020.safetensors', 20],
      ['cat_000000010.safetensors', 10],
    ]);
    expect(savesOf(folder, 'optimizer')).toEqual([]);
  });

  it('are a progress that says what it should, or none', () => {
    expect(readProgress(folder)).toBeUndefined();
    for (const text of [
      '',
      'null',
      '{"state":"dancing","step":1,"steps":2}',
      '{"state":"paused"}',
    ]) {
      write('progress.json', text);
      expect(readProgress(folder)).toBeUndefined();
    }
    write('progress.json', '{"state":"failed","step":1,"steps":2,"error":"why","updated":5}');
    expect(readProgress(folder)).toEqual({
      ...{ state: 'failed', step: 1, steps: 2, error: 'why', updated: 5 },
    });
  });
});
