/**
 * Files for prepared weights: in memory (`/dev/shm`) where there is room, else in the temporary folder.
 * They go with the process; what a killed process left behind goes when the next one makes its first.
 */
import { existsSync, rmSync } from 'node:fs';
import { open, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const filePrefix = 'noodle-weights-';
const ownFiles = new Set<string>();
/** A folder of files in memory, on systems that have one. */
const memoryFolder = '/dev/shm';
let fileCount = 0;
let swept: Promise<void> | undefined;

/** A file of `size` bytes, in memory where `total` bytes have room, else in the temporary folder. */
export async function newFile(size: number, total: number): Promise<string> {
  return fileIn((await hasRoom(memoryFolder, total)) ? memoryFolder : tmpdir(), size);
}

/** A file of `size` bytes in the temporary folder: what may be read from the disk again. */
export const newDiskFile = (size: number): Promise<string> => fileIn(tmpdir(), size);

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

async function hasRoom(folder: string, size: number): Promise<boolean> {
  if (!existsSync(folder)) return false;
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize > size * 1.1;
}

/** Removes files of processes that ended without doing it themselves, and sees to our own. */
async function sweep(): Promise<void> {
  process.once('exit', () => ownFiles.forEach((path) => rmSync(path, { force: true })));
  for (const folder of [memoryFolder, tmpdir()].filter((path) => existsSync(path))) {
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

/** Removes a file of `newFile`; memory that is still mapped stays valid. */
export async function discard(path: string): Promise<void> {
  ownFiles.delete(path);
  await rm(path, { force: true });
}
