/** Unfinished files of processes that were ended in the middle of writing. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HOST_TAG, TEMPORARY } from './write.ts';

/** Milliseconds; nobody writes on one file for so long, also not on another machine. */
const ABANDONED = 24 * 60 * 60 * 1000;

/**
 * Removes what is left of interrupted writes below the folders, and returns how many there were. A
 * file whose writer still lives is kept, and so is one of another machine for a day (folders may be
 * shared). Links are not followed.
 */
export async function sweepLeftovers(
  folders: readonly string[],
  now: () => number = Date.now,
): Promise<number> {
  let swept = 0;
  for (const folder of folders) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    const below: string[] = [];
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) below.push(path);
      else if (entry.isFile() && (await isAbandoned(path, entry.name, now()))) {
        await rm(path, { force: true }).catch(() => undefined);
        swept++;
      }
    }
    swept += await sweepLeftovers(below, now);
  }
  return swept;
}

async function isAbandoned(path: string, name: string, now: number): Promise<boolean> {
  const match = TEMPORARY.exec(name);
  if (match === null) return false;
  const [, host, pid] = match;
  if (host === HOST_TAG && !isAlive(Number(pid))) return true;
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && now - found.mtimeMs > ABANDONED;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process lives too.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
