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
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';

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
  return join(dirname(path), `.noodle-${randomBytes(9).toString('hex')}.part`);
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
