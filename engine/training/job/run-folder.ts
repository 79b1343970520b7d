/** The folder of a run: its job, what was saved of the adapter, its samples. */
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { resolveInside } from '../../store/paths.ts';
import { writeFileAtomic } from '../../store/write.ts';
import { openSafetensors } from '../../weights/safetensors.ts';
import { trainingInfo } from '../files/training-info.ts';
import { SAVE_ENDING, paddedStep, runFiles, saveName } from './run-files.ts';

/** A saved adapter that a run can go on from. */
export interface Save {
  readonly path: string;
  /** Steps done, as its metadata or its name says; 0 where neither does. */
  readonly step: number;
  readonly epoch: number;
}

export interface SamplePlace {
  readonly step: number;
  /** Which of the job's samples, and how many there are. */
  readonly index: number;
  readonly count: number;
  /** Without dot. */
  readonly format: string;
}

export interface RunFolder {
  readonly path: string;
  /** Path of one of `runFiles`. */
  readonly file: (name: keyof typeof runFiles) => string;
  /** Writes `config.yaml`. */
  readonly writeConfig: (raw: Readonly<Record<string, unknown>>) => void;
  /** Path of the save after `step` steps, or of that at the end. */
  readonly savePath: (step?: number) => string;
  /** Removes the oldest of the saves on the way until `keep` are left; 0 keeps all. */
  readonly dropOldSaves: (keep: number) => void;
  /** The save with most steps; undefined where there is none. Files that are no adapters are passed over. */
  readonly newestSave: () => Promise<Save | undefined>;
  /** Writes a sample whole; answers with its path. */
  readonly writeSample: (place: SamplePlace, bytes: Uint8Array) => string;
}

/**
 * Opens the folder of a run below `root`, and makes it where there is none. Throws PATH_OUTSIDE for a name that leads
 * elsewhere; errors of the file system pass through, here and when writing. Whatever is written is whole or not there.
 */
export function openRunFolder(root: string, name: string, now: () => number = Date.now): RunFolder {
  mkdirSync(root, { recursive: true });
  const path = resolveInside(root, name, { links: 'follow' });
  mkdirSync(join(path, runFiles.samples), { recursive: true });
  const file: RunFolder['file'] = (one) => join(path, runFiles[one]);
  return {
    path,
    file,
    writeConfig: (raw) => writeFileAtomic(file('config'), configText(raw)),
    savePath: (step) => join(path, saveName(name, step)),

    dropOldSaves(keep) {
      if (keep === 0) return;
      const saves = readdirSync(path)
        .filter((one) => stepIn(one, name) !== undefined)
        .map((one) => ({ one, made: statSync(join(path, one)).mtimeMs }))
        .sort((a, b) => a.made - b.made || (a.one < b.one ? -1 : 1));
      for (const { one } of saves.slice(0, -keep)) rmSync(join(path, one), { force: true });
    },

    async newestSave() {
      const saves = await Promise.all(
        readdirSync(path)
          .filter((one) => isSave(one, name))
          .map((one) => readSave(join(path, one), stepIn(one, name))),
      );
      const found = saves.filter((save) => save !== undefined);
      // Of as many steps: the one at the end, whose name is the shortest.
      found.sort((a, b) => b.step - a.step || a.path.length - b.path.length);
      return found[0];
    },

    writeSample({ step, index, count, format }, bytes) {
      const number = String(index).padStart(String(count).length, '0');
      const sample = join(file('samples'), `${now()}__${paddedStep(step)}_${number}.${format}`);
      writeFileAtomic(sample, bytes);
      return sample;
    },
  };
}

/** The step of a save on the way. */
function stepIn(file: string, name: string): number | undefined {
  const digits = /_(\d{9})\.safetensors$/.exec(file)?.[1];
  const step = digits === undefined ? undefined : Number(digits);
  return step !== undefined && file === saveName(name, step) ? step : undefined;
}

/** Whether a file is the run's own: its name, alone or with something behind it. */
const isSave = (file: string, name: string): boolean =>
  file !== runFiles.optimizer &&
  file.endsWith(SAVE_ENDING) &&
  file.startsWith(name) &&
  (file === name + SAVE_ENDING || /[_-]/.test(file[name.length]));

async function readSave(path: string, named: number | undefined): Promise<Save | undefined> {
  const file = await openSafetensors(path).catch(() => undefined);
  if (file === undefined) return undefined;
  const info = trainingInfo(file);
  return { path, step: info.step ?? named ?? 0, epoch: info.epoch ?? 0 };
}

/** YAML that every reader of job files reads back as it was. */
export const configText = (raw: Readonly<Record<string, unknown>>): string =>
  stringify(raw, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
