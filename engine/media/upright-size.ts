/** How large a picture is, for those who need no more of it. */
import { open, readFile } from 'node:fs/promises';
import { NoodleError } from '../errors.ts';
import { pngOrientation } from './decode-image.ts';
import { orientationOf } from './decode-with-sharp.ts';
import { type PictureFormat, pictureFormat } from './formats/signatures.ts';
import { readPng } from './formats/png/chunks.ts';
import { checkImageSize } from './limits.ts';
import { loadImageFile } from './load-image.ts';
import { lenient, loadSharp } from './sharp.ts';

export interface UprightSize {
  readonly width: number;
  readonly height: number;
}

/** A size as stored, and the EXIF orientation that turns it. */
type Stored = UprightSize & { readonly orientation: number };

/** Formats whose size is read without their pixels; others are decoded. */
const READERS: Partial<Readonly<Record<PictureFormat, (path: string) => Promise<Stored>>>> = {
  png: async (path) => {
    const bytes = await readFile(path);
    const png = readPng(bytes);
    return { ...png.header, orientation: await pngOrientation(png, bytes) };
  },
  jpeg: inHeader,
  webp: inHeader,
};

/** The size that `loadImageFile` would give the first frame. Throws IMAGE_FILE calling the file `name`. */
export async function uprightSize(path: string, name: string): Promise<UprightSize> {
  try {
    const format = pictureFormat(await startOf(path));
    const read = format && READERS[format];
    if (!read) return (await loadImageFile(path, { firstOnly: true })).frames[0];
    const { width, height, orientation } = await read(path);
    checkImageSize(width, height);
    return orientation >= 5 ? { width: height, height: width } : { width, height };
  } catch (error) {
    const isKnown = error instanceof NoodleError && error.code === 'IMAGE_FILE';
    const reason = isKnown ? String(error.details.reason) : 'it is damaged';
    throw new NoodleError('IMAGE_FILE', { name, reason }, { cause: error });
  }
}

async function inHeader(path: string): Promise<Stored> {
  const sharp = await loadSharp();
  const meta = await sharp(path, lenient).metadata();
  return {
    width: meta.width,
    height: meta.pageHeight ?? meta.height,
    orientation: orientationOf(meta),
  };
}

async function startOf(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
