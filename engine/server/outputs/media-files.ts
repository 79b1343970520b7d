/** The pictures, films and sounds below a folder, remembered until one of its folders changes. */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { contentType } from '../../store/content-type.ts';
import type { DirectoryType, Folders } from '../../store/folders.ts';
import { canBeNamed } from '../../store/paths.ts';

export const MEDIA_KINDS = ['image', 'video', 'audio'] as const;
export type MediaKind = (typeof MEDIA_KINDS)[number];

export interface MediaFile {
  /** Relative to the directory, with `/`. */
  readonly path: string;
  /** Where it lies. */
  readonly absolute: string;
  readonly kind: MediaKind;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

interface Folder {
  readonly stamp: bigint;
  readonly readAt: bigint;
  readonly files: readonly MediaFile[];
  readonly folders: readonly string[];
}

export type ListMedia = (type: DirectoryType) => Promise<readonly MediaFile[]>;

/** File systems stamp with the kernel's tick: a list made this soon after a change is not trusted. */
const RACY_NS = 50_000_000n;
/** Files whose state is asked for at once. */
const AT_ONCE = 64;

/**
 * Lists media files. Only folders that changed since the last time are read again; the same list is
 * given again while nothing has. What cannot be read, and what no request could name, is left out.
 */
export function createMediaLister(folders: Pick<Folders, 'directory' | 'resolve'>): ListMedia {
  const known = new Map<string, Folder>();
  const lists = new Map<DirectoryType, { folders: readonly Folder[]; files: MediaFile[] }>();

  const read = async (type: DirectoryType, path: string): Promise<Folder | undefined> => {
    const absolute = join(folders.directory(type), path);
    const key = `${type}:${path}`;
    try {
      const readAt = BigInt(Date.now()) * 1_000_000n;
      const { mtimeNs: stamp } = await stat(absolute, { bigint: true });
      const last = known.get(key);
      if (last?.stamp === stamp && last.readAt - stamp > RACY_NS) return last;
      const entries = await readdir(absolute, { withFileTypes: true });
      const folder = { stamp, readAt, ...(await sorted(folders, type, path, entries)) };
      known.set(key, folder);
      return folder;
    } catch {
      known.delete(key);
      return undefined;
    }
  };

  const walk = async (
    type: DirectoryType,
    path: string,
    above: ReadonlySet<string>,
    found: Folder[],
  ): Promise<void> => {
    const real = await realpath(join(folders.directory(type), path)).catch(() => undefined);
    if (real === undefined || above.has(real)) return;
    const folder = await read(type, path);
    if (folder === undefined) return;
    found.push(folder);
    const inside = new Set(above).add(real);
    for (const name of folder.folders) await walk(type, below(path, name), inside, found);
  };

  return async (type) => {
    const found: Folder[] = [];
    await walk(type, '', new Set(), found);
    const last = lists.get(type);
    const isSame =
      last?.folders.length === found.length && found.every((f, i) => f === last.folders[i]);
    if (isSame) return last.files;
    const files = found.flatMap((folder) => folder.files);
    lists.set(type, { folders: found, files });
    return files;
  };
}

/** A folder's media files with their state, and the folders in it. */
async function sorted(
  folders: Pick<Folders, 'directory' | 'resolve'>,
  type: DirectoryType,
  path: string,
  entries: readonly Dirent[],
): Promise<Pick<Folder, 'files' | 'folders'>> {
  const files: MediaFile[] = [];
  const inner: string[] = [];
  const look = async (entry: Dirent): Promise<void> => {
    const relative = below(path, entry.name);
    const kind = kindOf(entry.name);
    if (entry.isFile() && kind === undefined) return;
    try {
      // Links lead where the server lets them, or nowhere.
      const absolute = entry.isSymbolicLink()
        ? folders.resolve(type, relative)
        : join(folders.directory(type), relative);
      if (entry.isDirectory()) return void inner.push(entry.name);
      const state = await stat(absolute);
      if (state.isDirectory()) inner.push(entry.name);
      else if (state.isFile() && kind !== undefined) {
        files.push({ path: relative, absolute, kind, bytes: state.size, modified: state.mtimeMs });
      }
    } catch {
      // Gone meanwhile, or a link that is not followed.
    }
  };
  const wanted = entries.filter(({ name }) => !name.startsWith('.') && canBeNamed(name));
  for (let i = 0; i < wanted.length; i += AT_ONCE) {
    await Promise.all(wanted.slice(i, i + AT_ONCE).map(look));
  }
  return { files, folders: inner.sort() };
}

const below = (folder: string, name: string): string =>
  folder === '' ? name : `${folder}/${name}`;

const kindOf = (name: string): MediaKind | undefined =>
  MEDIA_KINDS.find((kind) => contentType(name).startsWith(`${kind}/`));
