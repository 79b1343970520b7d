/** Writing files so that nobody ever sees half of one. */
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';

/** Tells this machine's temporary files from those of others on a shared disk. */
export const HOST_TAG = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

/** Names of temporary files: the machine's tag, the writer's process id, a random part. */
export const TEMPORARY = /^\.noodle-([0-9a-f]{8})-(\d+)-[0-9a-f]{18}\.part$/;

export interface WriteOptions {
  /** Fail with EEXIST instead of replacing; atomic between processes. */
  readonly exclusive?: boolean;
}

/**
 * Writes bytes (or UTF-8 text) to a temporary file in the same folder, flushes it to the disk and
 * gives it its name: readers see the old file or the whole new one. File system errors pass through.
 */
export function writeFileAtomic(
  path: string,
  bytes: Uint8Array | string,
  options: WriteOptions = {},
): void {
  const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  const temporary = temporaryBeside(path);
  try {
    const file = openSync(temporary, 'wx', 0o666);
    try {
      for (let at = 0; at < data.length;) at += writeSync(file, data, at, data.length - at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    publish(temporary, path, options);
  } catch (error) {
    remove(temporary);
    throw error;
  }
}

/** A fresh hidden name in the folder of `path`, for writers that stream and then `publish`. */
export function temporaryBeside(path: string): string {
  const random = randomBytes(9).toString('hex');
  return join(dirname(path), `.noodle-${HOST_TAG}-${process.pid}-${random}.part`);
}

/** Gives a complete temporary file its final name; with `exclusive` an existing file is EEXIST. */
export function publish(temporary: string, path: string, options: WriteOptions = {}): void {
  if (options.exclusive) {
    // rename replaces silently; link is the portable call that refuses to.
    try {
      linkSync(temporary, path);
      unlinkSync(temporary);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
      // A file system without hard links: claim the name first, then put the content there.
      closeSync(openSync(path, 'wx'));
      renameSync(temporary, path);
    }
  } else {
    renameSync(temporary, path);
  }
  syncDirectory(dirname(path));
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Never created, or already gone.
  }
}

/** Makes the new name itself durable; Windows has no such call and needs none. */
function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } catch {
    // Some network file systems refuse; the file's own bytes are synced already.
  } finally {
    closeSync(handle);
  }
}
