/**
 * Where a model's weights lie for ONNX Runtime: ranges of files under one folder. Everything is checked
 * against the files as they are now, because what is wrong here would end in native code.
 */
import { stat } from 'node:fs/promises';
import { dirname, parse, relative, sep } from 'node:path';
import { NoodleError } from '../errors.ts';
import type { ExternalRange } from '../onnx/encode.ts';
import type { WeightInitializer } from '../onnx/model.ts';
import { identityOf, memoryOf } from '../weights/source.ts';
import { type FilePosition, type PreparedFiles, preparedSize } from './prepared-weights.ts';
import type { FileRange } from './read-ahead.ts';

/**
 * Checks that every weight lies inside its file and that the files are the ones whose headers were
 * read; throws SAFETENSORS_HEADER or WEIGHTS_CHANGED. Gives a function that throws WEIGHTS_CHANGED
 * once a file was rewritten in place, under the memory that maps it.
 */
export async function checkFiles(
  weights: readonly WeightInitializer[],
): Promise<() => Promise<void>> {
  const files = new Map<string, string>();
  const sizes = new Map<string, number>();
  for (const { name, entry } of weights) {
    if (entry.bytes.kind !== 'file') continue;
    const { path, identity, offset } = entry.bytes;
    if (!files.has(path)) {
      sizes.set(path, await checkedSize(path, identity));
      files.set(path, identity);
    }
    if (offset < 0 || offset + entry.byteLength > sizes.get(path)!) {
      const reason = `'${name}' lies outside the file`;
      throw new NoodleError('SAFETENSORS_HEADER', { file: path, reason });
    }
  }
  return async () => {
    for (const [path, identity] of files) await checkUnchanged(path, identity);
  };
}

export interface Placement {
  /** Folder that every location is relative to; undefined when no weight lies in a file. */
  readonly folder: string | undefined;
  readonly place: (weight: WeightInitializer) => ExternalRange | Uint8Array;
  /** What of files will be mapped. */
  readonly ranges: readonly FileRange[];
}

/** Where each weight lies: in the file of prepared weights, in its own file, or inside the model. */
export function placeWeights(
  weights: readonly WeightInitializer[],
  prepared: PreparedFiles,
): Placement {
  const positions = new Map<WeightInitializer, FilePosition>();
  for (const weight of weights) {
    const { bytes } = weight.entry;
    const position = prepared.find(weight) ?? (bytes.kind === 'file' ? bytes : undefined);
    if (position) positions.set(weight, position);
  }
  const folder = commonFolder([...new Set([...positions.values()].map(({ path }) => path))]);
  return {
    folder,
    ranges: [...positions].map(([weight, { path, offset }]) => ({
      path,
      offset,
      bytes: prepared.find(weight) ? preparedSize(weight) : weight.entry.byteLength,
    })),
    place: (weight) => {
      const position = positions.get(weight);
      if (!position) return memoryOf(weight.entry);
      const location = relative(folder!, position.path).split(sep).join('/');
      return { location, offset: position.offset };
    },
  };
}

async function checkedSize(path: string, identity: string): Promise<number> {
  const now = await stat(path, { bigint: true }).catch((cause: unknown) => {
    throw new NoodleError('WEIGHTS_CHANGED', { file: path }, { cause });
  });
  if (identityOf(path, now) !== identity) throw new NoodleError('WEIGHTS_CHANGED', { file: path });
  return Number(now.size);
}

/** A file that was deleted or replaced under its name stays mapped as it was; only rewriting harms. */
async function checkUnchanged(path: string, identity: string): Promise<void> {
  const now = await stat(path, { bigint: true }).catch(() => undefined);
  const sameFile = now !== undefined && identity.endsWith(`:${now.ino}`);
  if (sameFile && identityOf(path, now) !== identity) {
    throw new NoodleError('WEIGHTS_CHANGED', { file: path });
  }
}

/** The deepest folder that holds all paths. */
function commonFolder(paths: readonly string[]): string | undefined {
  if (paths.length === 0) return undefined;
  let folder = dirname(paths[0]);
  for (const path of paths) {
    while (!path.startsWith(folder.endsWith(sep) ? folder : folder + sep)) {
      if (folder === parse(folder).root) {
        const what = `weights of one model on different drives (${paths.join(', ')})`;
        throw new NoodleError('UNSUPPORTED', { what });
      }
      folder = dirname(folder);
    }
  }
  return folder;
}
