/**
 * The folders a ComfyUI user knows: models, input, output, temp, user. One implementation
 * (`createFolders`), one resolver for every name that comes from outside.
 */
import type { ChoiceSource } from '../graph/definition.ts';

export type DirectoryType = 'input' | 'output' | 'temp';

/** Where a saver writes: see `Folders.saveTarget`. */
export interface SaveTarget {
  /** Absolute folder, created. */
  readonly directory: string;
  /** Prefix without folders. */
  readonly filename: string;
  /** First free counter. */
  readonly counter: number;
  /** Folder relative to the root of its directory type ('' for none). */
  readonly subfolder: string;
  /** The prefix after token replacement. */
  readonly prefix: string;
}

export interface Folders extends ChoiceSource {
  readonly base: string;
  readonly input: string;
  readonly output: string;
  readonly temp: string;
  readonly user: string;
  directory(type: DirectoryType): string;
  /** Model folder names in ComfyUI's order. */
  modelFolders(): readonly string[];
  /** Search paths of a model folder (aliases `unet`, `clip` resolve); undefined when unknown. */
  modelPaths(folder: string): readonly string[] | undefined;
  /** Absolute real path of a model file; throws FILE_NOT_FOUND naming the folder, or PATH_OUTSIDE. */
  modelFile(folder: string, name: string): string;
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
