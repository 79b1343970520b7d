/** The losses of a run, step by step: `losses.jsonl`, and the database that ai-toolkit's page draws its curve from. */
import { appendFileSync, closeSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import { writeFileAtomic } from '../../store/write.ts';
import type { LossFile } from './loss-line.ts';
import type { RunFolder } from './run-folder.ts';

/**
 * Opens the losses of a run that has done `step` steps: those of later ones, which it does again, are taken away, and
 * so is half a line that a crash has left. Errors of the file system pass through.
 */
export async function openLosses(
  run: RunFolder,
  { step, useUiLogger }: { readonly step: number; readonly useUiLogger: boolean },
): Promise<LossFile> {
  const file = run.file('losses');
  cutLines(file, step);
  const log = useUiLogger
    ? (await import('./loss-log.ts')).openLossLog(run.file('lossLog'), step)
    : undefined;
  const handle = openSync(file, 'a');
  return {
    append(given) {
      const line = { ...given, loss: Number.isFinite(given.loss) ? given.loss : null };
      appendFileSync(handle, `${JSON.stringify(line)}\n`);
      log?.append(line);
    },
    flush: () => fsyncSync(handle),
    close() {
      closeSync(handle);
      log?.close();
    },
  };
}

/** Leaves the lines of the first `step` steps. */
function cutLines(file: string, step: number): void {
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
