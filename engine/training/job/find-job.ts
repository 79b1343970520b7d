/** Job files on the disk, and the environment that they are read in. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { NoodleError } from '../../errors.ts';
import { isFile } from '../../store/paths.ts';
import type { Place } from './findings.ts';
import { JOB_ENDINGS } from './parse.ts';

/**
 * The path of the job file that `name` means: in the folder `config` of the working directory with an ending or as it
 * stands, else the path itself. Throws FILE_NOT_FOUND.
 */
export function findJob(name: string, cwd: string): string {
  const inConfig = join(cwd, 'config', name);
  const places = [...JOB_ENDINGS.map((ending) => inConfig + ending), inConfig, resolve(cwd, name)];
  const found = places.find(isFile);
  if (found === undefined) throw new NoodleError('FILE_NOT_FOUND', { kind: 'job file', name });
  return found;
}

/** The variables of `environment`, and those of the working directory's `.env` that are not among them. */
export function jobEnvironment(
  cwd: string,
  environment: NodeJS.ProcessEnv,
): Readonly<Record<string, string | undefined>> {
  const file = join(cwd, '.env');
  return isFile(file) ? { ...parseEnv(readFileSync(file, 'utf8')), ...environment } : environment;
}

/**
 * Paths of a job that somebody runs on their own machine: below the working directory where they are relative. What
 * names a model and is no path stays a name: of the Hub, or of a file in the models folder.
 */
export const ownPlaces =
  (cwd: string): Place =>
  (path, kind) => {
    const absolute = resolve(cwd, path);
    const mayBeName = kind === 'model' || kind === 'adapter';
    return mayBeName && !existsSync(absolute) ? path : absolute;
  };
