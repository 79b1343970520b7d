/**
 * Where the files lie that a job of a server names: data sets below the input folder, models in the folders for
 * models. Such a job comes from outside, so every path in it goes through the resolver, or is refused.
 */
import { statSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import { NoodleError } from '../../errors.ts';
import type { Folders } from '../../store/folders.ts';
import { isFile, isInside } from '../../store/paths.ts';
import type { PathKind, Place } from '../job/findings.ts';
import { RUNS_FOLDER } from './runs.ts';

type Places = Pick<Folders, 'resolve' | 'directory' | 'modelFile' | 'modelPaths'>;

/** Finds what a path of a job means, as an absolute one; throws what is wrong with it. */
type Finder = (path: string, folders: Places) => string;

const inputOf =
  (kind: string, isThere: (path: string) => boolean): Finder =>
  (name, folders) => {
    const path = folders.resolve('input', below(folders.directory('input'), name));
    if (isThere(path)) return path;
    throw new NoodleError('FILE_NOT_FOUND', { kind, name });
  };

const modelOf =
  (...kinds: readonly string[]): Finder =>
  (name, folders) => {
    for (const kind of kinds) {
      const root = folders
        .modelPaths(kind)
        ?.find((each) => isAbsolute(name) && isInside(each, name));
      try {
        return folders.modelFile(kind, root === undefined ? name : relative(root, name));
      } catch (error) {
        const isElsewhere = error instanceof NoodleError && error.code === 'FILE_NOT_FOUND';
        if (!isElsewhere) throw error;
      }
    }
    throw new NoodleError('FILE_NOT_FOUND', { kind: `model in ${kinds.join(' or ')}`, name });
  };

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

const finders: Readonly<Record<PathKind, Finder>> = {
  // Whatever the file says: runs of a server lie in one place.
  'training folder': (_, folders) => folders.resolve('output', RUNS_FOLDER),
  dataset: inputOf('data set', (path) => isFolder(path) || isFile(path)),
  mask: inputOf('folder of masks', isFolder),
  words: inputOf('file of words', isFile),
  model: modelOf('checkpoints', 'diffusion_models', 'vae', 'text_encoders'),
  adapter: modelOf('loras'),
};

/** The places of a server's folders. */
export const serverPlaces =
  (folders: Places): Place =>
  (path, kind) =>
    finders[kind](path, folders);

/** A name below a folder, of an absolute path inside it as well. */
const below = (root: string, name: string): string =>
  isAbsolute(name) && isInside(root, name) ? relative(root, name) : name;
