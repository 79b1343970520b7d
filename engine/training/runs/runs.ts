/**
 * Training runs that a server keeps: a folder each in `training` of the output folder, whose `config.yaml`
 * is the job. What else lies in one is written by the loop that trains.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NoodleError } from '../../errors.ts';
import type { Folders } from '../../store/folders.ts';
import { isFile, nameParts } from '../../store/paths.ts';
import { writeFileAtomic } from '../../store/write.ts';
import { runFiles } from '../job/run-files.ts';

/** Where runs lie below the output folder. */
export const RUNS_FOLDER = 'training';

/** Files of a run begin with its name, and have a step and an ending behind it. */
const LONGEST = 100;

export interface Runs {
  /** In no order. */
  names(): string[];
  /** The run's folder, absolute; throws FILE_NOT_FOUND, or BAD_INPUT for what can be no run's name. */
  folder(name: string): string;
  /** The text of the job; throws FILE_NOT_FOUND. */
  config(name: string): string;
  /** When the job was written, milliseconds since 1970. */
  created(name: string): number;
  /** Makes the folder with the job in it; throws FILE_EXISTS, BAD_INPUT. */
  create(name: string, config: string): void;
  /** Writes another job into a run that is there; throws FILE_NOT_FOUND. */
  change(name: string, config: string): void;
  /** Deletes the run with everything that it made; throws FILE_NOT_FOUND. */
  remove(name: string): void;
}

/** The runs below an output folder. */
export function runsIn(folders: Pick<Folders, 'resolve'>): Runs {
  const place = (name: string): string => {
    refuseName(name);
    return folders.resolve('output', `${RUNS_FOLDER}/${name}`);
  };
  const folder = (name: string): string => {
    const path = place(name);
    if (!isFile(join(path, runFiles.config))) {
      throw new NoodleError('FILE_NOT_FOUND', { kind: 'training run', name });
    }
    return path;
  };
  const isThere = (name: string): boolean => {
    try {
      return isFile(join(place(name), runFiles.config));
    } catch {
      return false; // a link that leads out of the folder
    }
  };
  return {
    names: () =>
      entriesOf(folders.resolve('output', RUNS_FOLDER)).filter(
        (name) => isRunName(name) && isThere(name),
      ),
    folder,
    config: (name) => readFileSync(join(folder(name), runFiles.config), 'utf8'),
    created: (name) => Math.round(statSync(join(folder(name), runFiles.config)).mtimeMs),
    create: (name, config) => {
      const path = place(name);
      // Weights that lie there already would be trained on.
      if (entriesOf(path).length > 0) throw new NoodleError('FILE_EXISTS', { name });
      mkdirSync(path, { recursive: true });
      try {
        writeFileAtomic(join(path, runFiles.config), config, { exclusive: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        throw new NoodleError('FILE_EXISTS', { name }, { cause: error });
      }
    },
    change: (name, config) => writeFileAtomic(join(folder(name), runFiles.config), config),
    remove: (name) => rmSync(folder(name), { recursive: true }),
  };
}

/** Whether a run can be called so: one visible folder, with room for the names of its files. */
export function isRunName(name: string): boolean {
  try {
    const parts = nameParts(name);
    return (
      parts.length === 1 &&
      parts[0] === name &&
      !/^[. ]|[. ]$/.test(name) &&
      Buffer.byteLength(name) <= LONGEST
    );
  } catch {
    return false;
  }
}

function refuseName(name: string): void {
  if (isRunName(name)) return;
  const expected = `a name without slashes, of at most ${LONGEST} bytes, with no dot at its ends`;
  throw new NoodleError('BAD_INPUT', { subject: 'name of the run', expected, got: name });
}

function entriesOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
