/**
 * Where a model's weights lie for ONNX Runtime: ranges of files under one folder. Everything is checked
 * against the files as they are now, because what is wrong here would end in native code.
 */
import { stat } from 'node:fs/promises';
import { dirname, parse, relative, sep } from 'node:path';
import { NoodleError } from '../errors.ts';
import type { ExternalRange } from '../onnx/encode.ts';
import type { OnnxModel, WeightInitializer } from '../onnx/model.ts';
import { identityOf } from '../weights/safetensors.ts';
import type { PreparedFile } from './prepared-weights.ts';

export interface Placement {
  /** Folder that every location is relative to; undefined when no weight lies in a file. */
  readonly folder: string | undefined;
  readonly place: (weight: WeightInitializer) => ExternalRange | Uint8Array;
  /** Throws WEIGHTS_CHANGED when a file was rewritten in place, under the memory that maps it. */
  readonly verify: () => Promise<void>;
}

/** Places every weight of a model; throws WEIGHTS_CHANGED when a file is not the one that was read. */
export async function placeWeights(
  model: OnnxModel,
  prepared: PreparedFile | undefined,
): Promise<Placement> {
  const files = new Map<string, string>();
  for (const initializer of model.initializers) {
    if ('entry' in initializer && initializer.entry.bytes.kind === 'file') {
      files.set(initializer.entry.bytes.path, initializer.entry.bytes.identity);
    }
  }
  const sizes = new Map<string, number>();
  for (const [path, identity] of files) sizes.set(path, await checkedSize(path, identity));
  const locate = (path: string): string => relative(folder!, path).split(sep).join('/');
  const folder = commonFolder([...files.keys(), ...(prepared ? [prepared.path] : [])]);
  return {
    folder,
    verify: async () => {
      for (const [path, identity] of files) await checkUnchanged(path, identity);
    },
    place: (weight) => {
      const offset = prepared?.offsetOf(weight);
      if (offset !== undefined) return { location: locate(prepared!.path), offset };
      const { name, entry } = weight;
      const { bytes, byteLength } = entry;
      if (bytes.kind === 'memory') return bytes.bytes;
      if (bytes.offset < 0 || bytes.offset + byteLength > sizes.get(bytes.path)!) {
        const reason = `tensor '${name}' lies outside the file`;
        throw new NoodleError('SAFETENSORS_HEADER', { file: bytes.path, reason });
      }
      return { location: locate(bytes.path), offset: bytes.offset };
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
