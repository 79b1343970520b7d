/** The losses of a run, `losses.jsonl`: a line a step, read from the end of the file. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { runFiles } from '../job/run-files.ts';

/** A line as it is found: what is missing in it is null. */
export interface Loss {
  readonly step: number;
  /** Null where it was no finite number. */
  readonly loss: number | null;
  readonly rate: number | null;
  /** What the step took. */
  readonly seconds: number | null;
}

/** The first piece that is read; each further one is twice as long. */
const PIECE = 16 * 1024;

/** Steps by whose pace the rest is guessed. */
const RECENT = 20;

/** Losses of the steps after `step`, oldest first. A line that is half written is none yet. */
export function lossesAfter(folder: string, step: number): Loss[] {
  return linesWhile(folder, (losses) => losses.length === 0 || losses[0].step > step).filter(
    (loss) => loss.step > step,
  );
}

/** The last losses, at most `count` of them, oldest first. */
export const lastLosses = (folder: string, count: number): Loss[] =>
  linesWhile(folder, (losses) => losses.length < count).slice(-count);

/** Seconds that a step takes lately; undefined before the first one. */
export function secondsOfStep(folder: string): number | undefined {
  const times = lastLosses(folder, RECENT).flatMap(({ seconds }) => seconds ?? []);
  return times.length === 0 ? undefined : times.reduce((sum, time) => sum + time) / times.length;
}

/** Lines from the end of the file, as many pieces as it takes until `isShort` says no more. */
function linesWhile(folder: string, isShort: (losses: readonly Loss[]) => boolean): Loss[] {
  let file: number;
  try {
    file = openSync(join(folder, runFiles.losses), 'r');
  } catch {
    return []; // no step was done yet
  }
  try {
    const { size } = fstatSync(file);
    for (let length = PIECE; ; length *= 2) {
      const from = Math.max(0, size - length);
      const bytes = Buffer.alloc(size - from);
      const read = readSync(file, bytes, 0, bytes.length, from);
      const lines = bytes.toString('utf8', 0, read).split('\n');
      // The first line may have begun before the piece, the last one is not ended.
      const losses = lines.slice(from === 0 ? 0 : 1, -1).flatMap(lossIn);
      if (from === 0 || !isShort(losses)) return losses;
    }
  } finally {
    closeSync(file);
  }
}

function lossIn(line: string): Loss[] {
  let said: Partial<Record<keyof Loss, unknown>>;
  try {
    said = JSON.parse(line) as typeof said;
  } catch {
    return [];
  }
  const { step, loss, rate, seconds } = said ?? {};
  if (typeof step !== 'number' || !Number.isSafeInteger(step)) return [];
  return [{ step, loss: numberOf(loss), rate: numberOf(rate), seconds: numberOf(seconds) }];
}

const numberOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;
