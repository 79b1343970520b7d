/**
 * Files for prepared weights: in memory (`/dev/shm`) where there is room, else in the temporary folder.
 * They go with the process; what a killed process left behind goes when the next one makes its first.
 */
import { existsSync, rmSync, statfsSync } from 'node:fs';
import { open, readdir, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NoodleError } from '../errors.ts';
import { sizeText } from '../size-text.ts';

const filePrefix = 'noodle-weights-';
const ownFiles = new Set<string>();
/** A folder of files in memory, on systems that have one. */
const memoryFolder = '/dev/shm';
let fileCount = 0;
let swept: Promise<void> | undefined;

/** Where what sessions map goes, the best place first. */
export const preparedFolders = (): readonly string[] =>
  existsSync(memoryFolder) ? [memoryFolder, tmpdir()] : diskFolders();

/** Where what may be read from the disk again goes. */
export const diskFolders = (): readonly string[] => [tmpdir()];

/** The same folders where what lies in them takes no memory. */
export const offMemoryFolders = (): readonly string[] =>
  diskFolders().filter((folder) => statfsSync(folder).type !== tmpfs);

/** Linux's number for a file system in memory. */
const tmpfs = 0x01021994;

/** Share of new files that stays free beside them where another folder could take them. */
const leftFree = 0.1;

/**
 * Makes files of these sizes, all in the first of the folders that has room for them, and fills them; in the
 * next folder where this one turns out to be full, for others write there too. Throws FILE_WRITE when the last
 * one is full, and what `fill` throws; the files are gone then.
 */
export async function filledFiles(
  sizes: readonly number[],
  folders: readonly string[],
  fill: (paths: readonly string[]) => Promise<void>,
): Promise<readonly string[]> {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let cause: unknown;
  for (const [i, folder] of folders.entries()) {
    const isLast = i === folders.length - 1;
    const paths: string[] = [];
    try {
      for (const size of sizes) paths.push(await fileIn(folder, size));
      if ((await roomIn(folder)) < (isLast ? 0 : leftFree * total)) throw new NoRoom();
      await fill(paths);
      return paths;
    } catch (error) {
      for (const path of paths) await discard(path);
      if (!isFull(error)) throw error;
      cause = error;
    }
  }
  const name = `prepared weights in ${folders.at(-1)}`;
  const reason = `they take ${sizeText(total)}, more than is free there`;
  throw new NoodleError('FILE_WRITE', { name, reason }, { cause });
}

/** What writing would come to. */
class NoRoom extends Error {
  readonly code = 'ENOSPC';
}

const isFull = (error: unknown): boolean =>
  ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '');

async function fileIn(folder: string, size: number): Promise<string> {
  await (swept ??= sweep());
  const path = join(folder, `${filePrefix}${process.pid}-${fileCount++}`);
  ownFiles.add(path);
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.truncate(size);
  } catch (error) {
    await discard(path);
    throw error;
  } finally {
    await handle.close();
  }
  return path;
}

/**
 * Bytes that are free in a folder, less what files of this kind there, of any process, are still to be filled
 * with: a new file is a hole, which says to others what it will take. Infinity where the system does not know.
 */
async function roomIn(folder: string): Promise<number> {
  const { blocks, bavail, bsize } = await statfs(folder);
  if (blocks === 0) return Infinity;
  let room = bavail * bsize;
  for (const name of await readdir(folder)) {
    if (!name.startsWith(filePrefix)) continue;
    const file = await stat(join(folder, name)).catch(() => undefined); // gone in the meantime
    if (file) room -= Math.max(0, file.size - file.blocks * 512);
  }
  return room;
}

/** Removes files of processes that ended without doing it themselves, and sees to our own. */
async function sweep(): Promise<void> {
  process.once('exit', () => ownFiles.forEach((path) => rmSync(path, { force: true })));
  for (const folder of preparedFolders()) {
    for (const name of await readdir(folder)) {
      if (!name.startsWith(filePrefix)) continue;
      const pid = Number.parseInt(name.slice(filePrefix.length));
      // a file of our own number is older than we are: nothing was made yet
      if (pid === process.pid || !isRunning(pid)) await rm(join(folder, name), { force: true });
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Removes a file of `filledFiles`; memory that is still mapped stays valid. */
export async function discard(path: string): Promise<void> {
  ownFiles.delete(path);
  await rm(path, { force: true });
}
