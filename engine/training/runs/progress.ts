/** How far a run is, as its loop last said it in `progress.json`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../../store/write.ts';

/** What a loop says of itself; the last four are ends, of which a paused one is meant to go on. */
export const PROGRESS_STATES = ['running', 'paused', 'stopped', 'finished', 'failed'] as const;
export type ProgressState = (typeof PROGRESS_STATES)[number];

export interface Progress {
  readonly state: ProgressState;
  /** Steps that are done. */
  readonly step: number;
  /** Steps that the job asks for. */
  readonly steps: number;
  /** Why it failed. */
  readonly error?: string;
  /** Milliseconds since 1970. */
  readonly updated: number;
}

const FILE = 'progress.json';

/** The progress of the run in a folder; undefined where nothing (or nothing that can be read) was said. */
export function readProgress(folder: string): Progress | undefined {
  let said: Partial<Record<keyof Progress, unknown>>;
  try {
    said = JSON.parse(readFileSync(join(folder, FILE), 'utf8')) as typeof said;
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
export function writeProgress(folder: string, progress: Progress): void {
  writeFileAtomic(join(folder, FILE), `${JSON.stringify(progress)}\n`);
}

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;
