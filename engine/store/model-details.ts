/** Model files with size and dates, and the pictures that belong to them. */
import { closeSync, openSync, readSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { parseJson } from '../workflow/lossless-json.ts';
import type { Folders } from './folders.ts';
import { createModelLister } from './list-files.ts';
import { isKind } from './content-type.ts';
import { WEIGHT_ENDINGS } from './model-folders.ts';
import type { ModelFolder } from './model-folders.ts';
import { resolveInside } from './paths.ts';

export interface ModelDetails {
  readonly name: string;
  /** Which search path of the folder it lies in. */
  readonly pathIndex: number;
  /** Seconds since 1970. */
  readonly modified: number;
  readonly created: number;
  readonly size: number;
}

/** Lists model folders with details; unchanged directories are not read again. */
export function createModelDetails(
  folders: Pick<Folders, 'modelPaths'>,
): (folder: string) => ModelDetails[] | undefined {
  const list = createModelLister();
  const known = new Map<string, ModelFolder>();
  const single = (path: string): ModelFolder => {
    const folder = known.get(path) ?? { paths: [path], extensions: WEIGHT_ENDINGS };
    known.set(path, folder);
    return folder;
  };
  return (folder) =>
    folders.modelPaths(folder)?.flatMap((path, pathIndex) =>
      list(single(path)).flatMap((name) => {
        const stat = statSync(join(path, name), { throwIfNoEntry: false });
        if (stat === undefined) return [];
        return [
          {
            name,
            pathIndex,
            modified: stat.mtimeMs / 1000,
            created: stat.ctimeMs / 1000,
            size: stat.size,
          },
        ];
      }),
    );
}

/**
 * The preview of a model: `<stem>.<picture>` or `<stem>.preview.<picture>` beside it, else the first
 * cover in the safetensors metadata. Undefined without one; throws PATH_OUTSIDE for a name that
 * leaves `root` (links out of it included: a preview must not read what is not a model's).
 */
export function modelPreview(root: string, name: string): Uint8Array | undefined {
  const file = resolveInside(root, name);
  const stem = basename(file, extname(file));
  const folder = dirname(file);
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch {
    return undefined;
  }
  const picture = names.find((candidate) => {
    const bare = basename(candidate, extname(candidate));
    return isKind(candidate, 'image') && (bare === stem || bare === `${stem}.preview`);
  });
  if (picture !== undefined) return readFileSync(resolveInside(folder, picture));
  return names.includes(`${stem}.safetensors`)
    ? coverImage(join(folder, `${stem}.safetensors`))
    : undefined;
}

function coverImage(file: string): Uint8Array | undefined {
  const covers = safetensorsMetadata(file, 8 * 1024 * 1024)?.ssmd_cover_images;
  if (covers === undefined) return undefined;
  try {
    const list = parseJson(covers);
    const first = Array.isArray(list) ? list[0] : undefined;
    return typeof first === 'string' ? Buffer.from(first, 'base64') : undefined;
  } catch {
    return undefined;
  }
}

/** The `__metadata__` of a safetensors file whose header is at most `maxHeader` bytes; else undefined. */
export function safetensorsMetadata(
  file: string,
  maxHeader: number,
): Readonly<Record<string, string>> | undefined {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch {
    return undefined;
  }
  try {
    const prefix = Buffer.alloc(8);
    if (readSync(handle, prefix, 0, 8, 0) < 8) return undefined;
    const length = prefix.readBigUInt64LE();
    if (length > BigInt(maxHeader)) return undefined;
    const header = Buffer.alloc(Number(length));
    if (readSync(handle, header, 0, header.length, 8) < header.length) return undefined;
    const parsed = parseJson(header.toString('utf8')) as Record<string, unknown> | null;
    const metadata = parsed?.__metadata__;
    if (metadata === null || typeof metadata !== 'object') return undefined;
    return Object.fromEntries(
      Object.entries(metadata).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string',
      ),
    );
  } catch {
    return undefined;
  } finally {
    closeSync(handle);
  }
}
