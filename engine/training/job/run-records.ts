/** What a run writes down step by step: its losses, and how far it is. */
import { appendFileSync, readFileSync } from 'node:fs';
import { writeFileAtomic } from '../../store/write.ts';

/** A line of `losses.jsonl`. */
export interface LossLine {
  /** From 1. */
  readonly step: number;
  /** Null where it was no finite number. */
  readonly loss: number | null;
  /** Learning rate. */
  readonly rate: number;
  /** What the step took. */
  readonly seconds: number;
}

/** `progress.json`. */
export interface Progress {
  readonly state: 'running' | 'paused' | 'stopped' | 'finished' | 'failed';
  /** Steps done, of so many. */
  readonly step: number;
  readonly steps: number;
  readonly error?: string;
  /** Milliseconds since 1970. */
  readonly updated: number;
}

/** Adds a line at the end; a crash leaves at worst a half one, which `cutLosses` takes away. */
export function appendLoss(file: string, line: LossLine): void {
  const loss = Number.isFinite(line.loss) ? line.loss : null;
  appendFileSync(file, `${JSON.stringify({ ...line, loss })}\n`);
}

/** Leaves the lines of the first `step` steps: a run that goes on from there writes the others again. */
export function cutLosses(file: string, step: number): void {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const kept = text.split('\n').filter((line) => stepOf(line) <= step);
  const cut = kept.map((line) => `${line}\n`).join('');
  if (cut !== text) writeFileAtomic(file, cut);
}

/** The step of a line; of one that is not whole, Infinity. */
function stepOf(line: string): number {
  try {
    const { step } = JSON.parse(line) as { step?: unknown };
    return typeof step === 'number' ? step : Infinity;
  } catch {
    return Infinity;
  }
}

/** Writes how far the run is, in place of what was there. */
export const writeProgress = (file: string, progress: Progress): void =>
  writeFileAtomic(file, `${JSON.stringify(progress)}\n`);
