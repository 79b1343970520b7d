/** How far a run is, as its loop last said it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Progress, writeProgress } from '../job/progress.ts';
import { runFiles } from '../job/run-files.ts';

/** What a loop says of itself; but for the first these are ends, of which a paused one is meant to go on. */
export const PROGRESS_STATES = ['running', 'paused', 'stopped', 'finished', 'failed'] as const;

/** The progress of the run in a folder; undefined where nothing (or nothing that can be read) was said. */
export function readProgress(folder: string): Progress | undefined {
  let said: Partial<Record<keyof Progress, unknown>> | null;
  try {
    said = JSON.parse(readFileSync(join(folder, runFiles.progress), 'utf8')) as typeof said;
  } catch {
    return undefined;
  }
  const { state, step, steps, error, updated } = said ?? {};
  const known = PROGRESS_STATES.find((each) => each === state);
  if (known === undefined || !isCount(step) || !isCount(steps)) return undefined;
  return {
    state: known,
    step,
    steps,
    ...(typeof error === 'string' ? { error } : {}),
    updated: isCount(updated) ? updated : 0,
  };
}

/** Says it in place of a loop that ended without a word, or that is to go on no more. */
export const changeProgress = (folder: string, progress: Progress): void =>
  writeProgress(join(folder, runFiles.progress), progress);

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;
