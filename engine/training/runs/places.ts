/**
 * Where the files lie that a job of a server names: data sets below the input folder, models in the folders for
 * models. A job comes from outside, so every path in it goes through the resolver, or is refused.
 */
import { statSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import { NoodleError } from '../../errors.ts';
import type { Folders } from '../../store/folders.ts';
import { isInside } from '../../store/paths.ts';

type Places = Pick<Folders, 'resolve' | 'directory' | 'modelFile' | 'modelPaths'>;

/** Finds what a key names, as an absolute path; throws what is wrong with it. */
type Finder = (name: string, folders: Places) => string;

const inputFolder: Finder = (name, folders) => {
  const path = folders.resolve('input', below(folders.directory('input'), name));
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path;
  throw new NoodleError('FILE_NOT_FOUND', { kind: 'data set', name });
};

const modelOf =
  (...kinds: readonly string[]): Finder =>
  (name, folders) => {
    for (const kind of kinds) {
      const roots = folders.modelPaths(kind) ?? [];
      const root = roots.find((each) => isAbsolute(name) && isInside(each, name));
      try {
        return folders.modelFile(kind, root === undefined ? name : relative(root, name));
      } catch (error) {
        if (!(error instanceof NoodleError) || error.code !== 'FILE_NOT_FOUND') throw error;
      }
    }
    throw new NoodleError('FILE_NOT_FOUND', { kind: `model in ${kinds.join(' or ')}`, name });
  };

/** The keys of a process that name files and folders; `[]` goes through a list. */
const KEYS: Readonly<Record<string, Finder>> = {
  'datasets[].folder_path': inputFolder,
  'datasets[].dataset_path': inputFolder,
  'datasets[].mask_path': inputFolder,
  'model.name_or_path': modelOf('checkpoints', 'diffusion_models'),
  'model.unet_path': modelOf('diffusion_models'),
  'model.vae_path': modelOf('vae'),
  'model.te_name_or_path': modelOf('text_encoders'),
  'model.extras_name_or_path': modelOf('checkpoints'),
  'model.lora_path': modelOf('loras'),
  'network.pretrained_lora_path': modelOf('loras'),
};

/** Keys that could name any file; nothing is looked up for them. */
const NEVER: readonly string[] = ['model.model_paths'];

export interface PlacedJob {
  /** The same tree with absolute paths in it. */
  readonly tree: unknown;
  /** Lines that begin with the path of a key. */
  readonly problems: readonly string[];
}

/** Puts absolute paths in the place of what a job (the tree of its file) names. */
export function placePaths(tree: unknown, folders: Places): PlacedJob {
  const copy: unknown = structuredClone(tree);
  const problems: string[] = [];
  for (const process of processesOf(copy)) {
    for (const [key, find] of Object.entries(KEYS)) {
      for (const { holder, name, at } of namedBy(process, key.split('.'))) {
        const value = holder[name];
        if (typeof value !== 'string' || value === '') continue;
        try {
          holder[name] = find(value, folders);
        } catch (error) {
          if (!(error instanceof NoodleError)) throw error;
          problems.push(`${at}: ${error.message}`);
        }
      }
    }
    for (const key of NEVER) {
      for (const { holder, name, at } of namedBy(process, key.split('.'))) {
        const isEmpty = Object.keys((holder[name] as object | undefined) ?? {}).length === 0;
        if (!isEmpty) problems.push(`${at} is not taken from outside: name the parts one by one`);
      }
    }
  }
  return { tree: copy, problems };
}

/** The processes of a job file, as far as they are some. */
export function processesOf(tree: unknown): Tree[] {
  const list = isTree(tree) && isTree(tree.config) ? tree.config.process : undefined;
  return Array.isArray(list) ? list.filter(isTree) : [];
}

interface Tree {
  [key: string]: unknown;
}

interface Named {
  readonly holder: Tree;
  readonly name: string;
  /** The path of the key, as lines have it. */
  readonly at: string;
}

/** The places that a key stands for. */
function namedBy(tree: unknown, [first, ...rest]: readonly string[], at = ''): Named[] {
  if (!isTree(tree)) return [];
  if (rest.length === 0) return [{ holder: tree, name: first, at: at + first }];
  if (!first.endsWith('[]')) return namedBy(tree[first], rest, `${at}${first}.`);
  const name = first.slice(0, -2);
  const list = tree[name];
  return Array.isArray(list)
    ? list.flatMap((item, i) => namedBy(item, rest, `${at}${name}[${i}].`))
    : [];
}

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const below = (root: string, name: string): string =>
  isAbsolute(name) && isInside(root, name) ? relative(root, name) : name;
