/**
 * Deleted outputs lie in the temp folder, each batch in a folder of its own, until the server ends:
 * until then a deletion can be undone.
 */
import { randomUUID } from 'node:crypto';
import { constants, copyFile, link, mkdir, readdir, rename, rmdir, unlink } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { NoodleError } from '../../errors.ts';
import type { Folders } from '../../store/folders.ts';
import { isFile, resolveInside } from '../../store/paths.ts';

const FOLDER = 'trash';
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface Trashed {
  readonly id: string;
  readonly moved: readonly string[];
  /** Paths at which there was no file. */
  readonly missing: readonly string[];
}

/**
 * Moves files of the output folder into a new batch. Throws PATH_OUTSIDE for a path that leads out
 * of the folder, also by a link, before anything is moved.
 */
export async function moveToTrash(
  folders: Pick<Folders, 'output' | 'temp'>,
  paths: readonly string[],
): Promise<Trashed> {
  const files = [...new Set(paths)].map((path) => {
    const absolute = resolveInside(folders.output, path);
    return { path, absolute, isThere: isFile(absolute) };
  });
  const id = randomUUID();
  const moved: string[] = [];
  for (const { path, absolute, isThere } of files) {
    if (!isThere) continue;
    const target = resolveInside(folders.temp, `${FOLDER}/${id}/${path}`);
    await mkdir(dirname(target), { recursive: true });
    await move(absolute, target);
    moved.push(path);
  }
  return { id, moved, missing: files.filter(({ isThere }) => !isThere).map(({ path }) => path) };
}

/**
 * Puts the files of a batch back where they were. A file whose place was taken meanwhile stays in
 * the batch and is named in `kept`. Throws FILE_NOT_FOUND when there is no such batch.
 */
export async function restoreFromTrash(
  folders: Pick<Folders, 'output' | 'temp'>,
  id: string,
): Promise<{ restored: string[]; kept: string[] }> {
  const batch = ID.test(id) ? join(folders.temp, FOLDER, id) : '';
  const files = batch === '' ? [] : await filesBelow(batch);
  if (files.length === 0) throw new NoodleError('FILE_NOT_FOUND', { kind: 'deletion', name: id });
  const restored: string[] = [];
  const kept: string[] = [];
  for (const file of files) {
    const path = relative(batch, file).replaceAll(sep, '/');
    const target = resolveInside(folders.output, path);
    await mkdir(dirname(target), { recursive: true });
    ((await moveBeside(file, target)) ? restored : kept).push(path);
  }
  if (kept.length === 0) await removeFolders(batch);
  return { restored, kept };
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    await copyFile(from, to);
    await unlink(from);
  }
}

/** Moves a file to a place that nothing may stand at; false when something does. */
async function moveBeside(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') throw error;
      // Another file system, or one without links.
      await copyFile(from, to, constants.COPYFILE_EXCL);
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  await unlink(from);
  return true;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

async function removeFolders(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeFolders(join(folder, entry.name));
  }
  await rmdir(folder);
}
