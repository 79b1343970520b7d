/**
 * The folders a ComfyUI user knows: models, input, output, temp, user. One implementation
 * (`createFolders`), one resolver for every name that comes from outside.
 */
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { NoodleError } from '../errors.ts';
import type { ChoiceSource } from '../graph/definition.ts';
import { findEmbedding } from './embedding-files.ts';
import { byCodePoint, createDirectoryLister, createModelLister } from './list-files.ts';
import { isKind } from './content-type.ts';
import {
  addModelPath,
  modelFolderName,
  readExtraModelPaths,
  standardModelFolders,
} from './model-folders.ts';
import type { ModelFolder } from './model-folders.ts';
import { canBeNamed, isFile, resolveInside } from './paths.ts';
import type { Links } from './paths.ts';
import { createCounters } from './save-target.ts';
import type { SavedFiles, SaveTarget } from './save-target.ts';
import { findVocabulary } from './vocabulary-files.ts';
import { walkFiles } from './walk.ts';

export type DirectoryType = 'input' | 'output' | 'temp';

export interface Folders extends ChoiceSource, SavedFiles {
  readonly base: string;
  readonly input: string;
  readonly output: string;
  readonly temp: string;
  readonly user: string;
  directory(type: DirectoryType): string;
  /** Where links in input, output and temp may lead besides (--follow-links). */
  readonly links: Links;
  /**
   * Absolute real path of `name`, a file or folder that need not exist; throws PATH_OUTSIDE when it
   * leaves the directory by anything but a link that is followed.
   */
  resolve(type: DirectoryType, name: string): string;
  /** Names of the files directly in a directory that `resolve` would give, unsorted. */
  filesOf(type: DirectoryType): string[];
  /** Model folder names in ComfyUI's order. */
  modelFolders(): readonly string[];
  /** Search paths of a model folder (aliases `unet`, `clip` resolve); undefined when unknown. */
  modelPaths(folder: string): readonly string[] | undefined;
  /** Endings of files that a model folder lists, none: every file; undefined when unknown. */
  modelExtensions(folder: string): readonly string[] | undefined;
  /** Absolute real path of a model file; throws FILE_NOT_FOUND naming the folder, or PATH_OUTSIDE. */
  modelFile(folder: string, name: string): string;
  /** Absolute path of the file that `embedding:NAME` means; undefined when there is none. */
  embedding(name: string): string | undefined;
  /**
   * Absolute path of a vocabulary's file in the first of these folders that has it, below the text encoders
   * or beside them; undefined when there is none.
   */
  vocabulary(folders: readonly string[], file: string): string | undefined;
  /** Absolute path of `name`, `name [output]`, `sub/name [temp]` …; default directory `input`. */
  annotatedFile(name: string, defaultType?: DirectoryType): string;
  /** Whether `annotatedFile` would find an existing regular file. */
  annotatedExists(name: string): boolean;
  /** ComfyUI's get_save_image_path: token replacement, subfolder, next counter. */
  saveTarget(
    prefix: string,
    type: DirectoryType,
    size?: { width: number; height: number },
  ): SaveTarget;
}

/** ComfyUI's directory flags; paths may be relative to the working directory. */
export interface FolderOptions {
  /** --base-directory, else the program's folder. */
  readonly base: string;
  readonly inputDirectory?: string;
  readonly outputDirectory?: string;
  /** --temp-directory X, which means X/temp. */
  readonly tempDirectory?: string;
  /** --user-directory; must exist. */
  readonly userDirectory?: string;
  /** --models-directory. */
  readonly modelsDirectory?: string;
  /** Files of --extra-model-paths-config, after the `extra_model_paths.yaml` in `program`. */
  readonly extraModelPaths?: readonly string[];
  /** Where a default `extra_model_paths.yaml` is looked for; `base` when left out. */
  readonly program?: string;
  /** --follow-links: links in input, output and temp may lead anywhere, or into these folders. */
  readonly followLinks?: true | readonly string[];
  readonly now?: () => Date;
}

/** The models that nodes save into the output folder can be loaded from there again. */
const OUTPUT_MODELS = ['checkpoints', 'clip', 'vae', 'diffusion_models', 'loras'];

/**
 * The folders of one installation; input, output, temp and user are created. Throws BAD_INPUT for a
 * missing user directory or an unreadable extra_model_paths.yaml; `warn` hears of what is odd in one.
 */
export function createFolders(
  options: FolderOptions,
  warn: (text: string) => void = () => undefined,
): Folders {
  const base = resolve(options.base);
  const input = resolve(options.inputDirectory ?? join(base, 'input'));
  const output = resolve(options.outputDirectory ?? join(base, 'output'));
  const temp = resolve(options.tempDirectory ?? base, 'temp');
  const user = resolve(options.userDirectory ?? join(base, 'user'));
  if (options.userDirectory !== undefined && !isDirectory(user)) {
    throw new NoodleError('BAD_INPUT', {
      subject: '--user-directory',
      expected: 'an existing folder',
      got: user,
    });
  }
  for (const directory of [input, output, temp, user]) mkdirSync(directory, { recursive: true });

  const models = collectModelFolders(options, base, output, warn);
  const listModels = createModelLister();
  const listDirectories = createDirectoryLister(listModels);
  const { saveTarget, checkPrefix, ...savedFiles } = createCounters(options.now);
  const directories = { input, output, temp };
  const links: Links =
    options.followLinks === true
      ? 'follow'
      : (options.followLinks?.map((folder) => resolve(folder)) ?? 'refuse');
  const modelFolder = (name: string): ModelFolder | undefined => models.get(modelFolderName(name));

  const inDirectory = (type: DirectoryType, name: string): string =>
    resolveInside(directories[type], name, { links });

  const annotatedFile = (name: string, defaultType: DirectoryType = 'input'): string => {
    const { type, bare } = splitAnnotation(name);
    return inDirectory(type ?? defaultType, bare);
  };

  const filesOf = (type: DirectoryType): string[] =>
    readdirSync(directories[type], { withFileTypes: true })
      .filter((entry) => {
        if (!canBeNamed(entry.name)) return false;
        return entry.isSymbolicLink() ? isLinkedFile(type, entry.name) : entry.isFile();
      })
      .map(({ name }) => name);

  const isLinkedFile = (type: DirectoryType, name: string): boolean => {
    try {
      return isFile(inDirectory(type, name));
    } catch {
      return false;
    }
  };

  return {
    base,
    input,
    output,
    temp,
    user,
    directory: (type) => directories[type],
    links,
    resolve: inDirectory,
    filesOf,
    modelFolders: () => [...models.keys()],
    modelPaths: (folder) => modelFolder(folder)?.paths,
    modelExtensions: (folder) => modelFolder(folder)?.extensions,
    modelFiles: (folder) => {
      const found = modelFolder(folder);
      return found === undefined ? [] : listModels(found);
    },
    modelDirectories: (folder, holding) =>
      listDirectories(modelFolder(folder)?.paths ?? [], holding),
    inputFiles: (kind) =>
      filesOf('input')
        .filter((name) => isKind(name, kind))
        .sort(byCodePoint),
    inputFolders: () => foldersBelow(input).sort(byCodePoint),
    inputFilesBelow: (folder) =>
      [...walkFiles(join(input, folder), { takes: canBeNamed })]
        .map((path) => relative(input, path).replaceAll(sep, '/'))
        .sort(byCodePoint),
    modelFile: (folder, name) => {
      for (const root of modelFolder(folder)?.paths ?? []) {
        const path = modelPath(root, name);
        if (path !== undefined) return path;
      }
      throw new NoodleError('FILE_NOT_FOUND', { kind: `Model in folder '${folder}'`, name });
    },
    embedding: (name) => findEmbedding(modelFolder('embeddings')?.paths ?? [], name),
    vocabulary: (names, file) =>
      findVocabulary(modelFolder('text_encoders')?.paths ?? [], names, file),
    annotatedFile,
    annotatedExists: (name) => {
      try {
        return isFile(annotatedFile(name));
      } catch {
        return false;
      }
    },
    prefixProblem: (prefix, suffix) => {
      try {
        checkPrefix({ directory: output, links }, prefix, suffix);
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    },
    saveTarget: (prefix, type, size) =>
      saveTarget({ directory: directories[type], links }, prefix, size),
    ...savedFiles,
  };
}

function collectModelFolders(
  options: FolderOptions,
  base: string,
  output: string,
  warn: (text: string) => void,
): ReadonlyMap<string, ModelFolder> {
  const models = standardModelFolders(
    base,
    resolve(options.modelsDirectory ?? join(base, 'models')),
  );
  const standard = join(resolve(options.program ?? base), 'extra_model_paths.yaml');
  if (isFile(standard)) readExtraModelPaths(standard, models, warn);
  for (const file of options.extraModelPaths ?? []) readExtraModelPaths(file, models, warn);
  for (const name of OUTPUT_MODELS) addModelPath(models, name, join(output, name));
  return models;
}

/** The file in one search path; a link without a target does not count. */
function modelPath(root: string, name: string): string | undefined {
  try {
    const path = resolveInside(root, name, { links: 'follow' });
    return isFile(path) ? path : undefined;
  } catch (error) {
    if (error instanceof NoodleError && error.code === 'FILE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Splits `name [output]` into its directory and bare name; type undefined without a suffix. */
export function splitAnnotation(name: string): { type?: DirectoryType; bare: string } {
  for (const type of ['output', 'input', 'temp'] as const) {
    const suffix = `[${type}]`;
    // The character before the suffix, whatever it is, belongs to the annotation.
    if (name.endsWith(suffix)) return { type, bare: name.slice(0, -suffix.length - 1) };
  }
  return { bare: name };
}

/** Empties the temp directory (ComfyUI does so at start and stop); links in it are not followed. */
export function wipeTemp(folders: Pick<Folders, 'temp'>): void {
  mkdirSync(folders.temp, { recursive: true });
  for (const name of readdirSync(folders.temp)) {
    rmSync(join(folders.temp, name), { recursive: true, force: true });
  }
}

/** Relative paths with `/`, links and names that cannot be asked for left out. */
function foldersBelow(directory: string, path = ''): string[] {
  const names = readdirSync(join(directory, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && canBeNamed(entry.name))
    .map(({ name }) => (path === '' ? name : `${path}/${name}`));
  return names.flatMap((name) => [name, ...foldersBelow(directory, name)]);
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
