/** BLAKE3 of files, read piece by piece so that the thread answers others in between. */
import { open } from 'node:fs/promises';
import { createBLAKE3 } from 'hash-wasm';
import { NoodleError } from '../errors.ts';
import type { FileFacts } from './records.ts';

/** About a millisecond of hashing. */
const PIECE = 1024 * 1024;
const ATTEMPTS = 3;

/** A hash and the file's facts while it was taken. */
export interface HashedFile extends FileFacts {
  /** Hex. */
  readonly hash: string;
}

/**
 * Hashes a file. Throws UPLOAD_UNSTABLE when it changes each time it is read, the signal's reason
 * when aborted; errors of the file system pass through.
 */
export async function hashFile(path: string, signal?: AbortSignal): Promise<HashedFile> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const hashed = await hashOnce(path, signal);
    if (hashed !== undefined) return hashed;
  }
  throw new NoodleError('UPLOAD_UNSTABLE', { name: path });
}

/** Undefined when the file changed meanwhile. */
async function hashOnce(path: string, signal?: AbortSignal): Promise<HashedFile | undefined> {
  const hasher = await createBLAKE3();
  const buffer = new Uint8Array(PIECE);
  const file = await open(path, 'r');
  try {
    const before = await file.stat();
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, PIECE);
      if (bytesRead === 0) break;
      hasher.update(buffer.subarray(0, bytesRead));
    }
    const after = await file.stat();
    if (before.size !== after.size || before.mtimeMs !== after.mtimeMs) return undefined;
    return { hash: hasher.digest('hex'), size: after.size, mtime: after.mtimeMs };
  } finally {
    await file.close();
  }
}
