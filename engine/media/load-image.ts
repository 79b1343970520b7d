/** Picture files from the disk. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { NoodleError } from '../errors.ts';
import { decodeImage } from './decode-image.ts';
import type { DecodedImage } from './frame.ts';

/** Larger files are refused before they are read. */
const MAX_FILE_SIZE = 1 << 30;

/** Reads and decodes a file; `path` is already resolved. Throws IMAGE_FILE naming it. */
export async function loadImageFile(
  path: string,
  options: { firstOnly?: boolean } = {},
): Promise<DecodedImage> {
  const name = basename(path);
  const { size } = await stat(path);
  if (size > MAX_FILE_SIZE) {
    throw new NoodleError('IMAGE_FILE', { name, reason: `it has ${size} bytes` });
  }
  return decodeImage(await readFile(path), { name, ...options });
}

/** SHA-256 of a file as hexadecimal digits: changes when the file's content does. */
export async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
