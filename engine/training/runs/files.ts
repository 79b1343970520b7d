/** What a run has made: samples, and weights that were saved on the way and at its end. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { canBeNamed } from '../../store/paths.ts';
import { SAVE_ENDING, runFiles } from '../job/run-files.ts';

export interface Sample {
  readonly filename: string;
  /** Milliseconds since 1970. */
  readonly made: number;
  /** Steps that were done before. */
  readonly step: number;
  /** Which of the job's prompts. */
  readonly index: number;
}

export interface Save {
  readonly filename: string;
  /** Null for what was saved at the end. */
  readonly step: number | null;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

const SAMPLE = /^(\d{10,15})__(\d{9})_(\d{1,6})\.(?:jpe?g|png|webp)$/i;

/** Samples by step and prompt; of a step that was done twice, the later ones. */
export function samplesOf(folder: string): Sample[] {
  const found = new Map<string, Sample>();
  for (const filename of namesIn(join(folder, runFiles.samples)).sort()) {
    const [, made, step, index] = SAMPLE.exec(filename) ?? [];
    if (made === undefined) continue;
    const sample = { filename, made: Number(made), step: Number(step), index: Number(index) };
    const before = found.get(`${sample.step} ${sample.index}`);
    if (before === undefined || before.made <= sample.made) {
      found.set(`${sample.step} ${sample.index}`, sample);
    }
  }
  return [...found.values()].sort((a, b) => a.step - b.step || a.index - b.index);
}

/** Weights that were saved, the newest first; the state that a run goes on from is none. */
export function savesOf(folder: string, name: string): Save[] {
  const saves = namesIn(folder)
    .filter(
      (filename) =>
        filename.startsWith(name) &&
        filename !== runFiles.optimizer &&
        filename.endsWith(SAVE_ENDING),
    )
    .flatMap((filename) => {
      const stat = statSync(join(folder, filename), { throwIfNoEntry: false });
      if (stat === undefined || !stat.isFile()) return [];
      const step = /_(\d{9})(?:_\w+)?\.safetensors$/.exec(filename)?.[1];
      return [
        {
          filename,
          step: step === undefined ? null : Number(step),
          bytes: stat.size,
          modified: Math.round(stat.mtimeMs),
        },
      ];
    });
  const stepOf = ({ step }: Save): number => step ?? Infinity;
  return saves.sort((a, b) =>
    stepOf(a) === stepOf(b) ? (a.filename < b.filename ? -1 : 1) : stepOf(b) - stepOf(a),
  );
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter(canBeNamed);
  } catch {
    return []; // nothing was made yet
  }
}
