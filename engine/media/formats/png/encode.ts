/** Our own PNG writer: gray, gray + alpha, RGB, RGBA of 8 or 16 bits, with text chunks. */
import { promisify } from 'node:util';
import { crc32, deflate as deflateCallback } from 'node:zlib';

const deflate = promisify<Uint8Array, object, Buffer>(deflateCallback);

export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** 1 gray, 2 gray + alpha, 3 RGB, 4 RGBA. */
  readonly channels: 1 | 2 | 3 | 4;
  /** Bits of a sample, 8 when it is not said; those of 16 lie high byte first. */
  readonly depth?: 8 | 16;
  readonly data: Uint8Array;
}

const pixelSize = ({ channels, depth = 8 }: Pixels): number => (channels * depth) / 8;

export interface PngOptions {
  /** zlib level 0..9. */
  readonly level: number;
  /** Written in this order: tEXt where Latin-1 holds the value, else iTXt. */
  readonly text?: readonly (readonly [key: string, value: string])[];
}

/**
 * Encodes one picture. Compression runs off the event loop. Throws RangeError when the data does
 * not fit the size, or a text key is not 1..79 Latin-1 characters.
 */
export async function encodePng(pixels: Pixels, { level, text = [] }: PngOptions): Promise<Buffer> {
  const { width, height, data } = pixels;
  if (data.length !== width * height * pixelSize(pixels)) {
    const size = `${width} x ${height} x ${pixelSize(pixels)}`;
    throw new RangeError(`PNG: ${data.length} bytes for ${size}`);
  }
  return Buffer.concat([
    ...pngStart(pixels),
    ...text.flatMap(([key, value]) => textChunk(key, value)),
    ...chunk('IDAT', await compressPixels(pixels, level)),
    ...chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The signature and the header chunk. */
export function pngStart({ width, height, channels, depth = 8 }: Pixels): Uint8Array[] {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, { 1: 0, 2: 4, 3: 2, 4: 6 }[channels], 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return [signature, ...chunk('IHDR', header)];
}

/** Filtered and compressed rows: the content of image data chunks. */
export function compressPixels(pixels: Pixels, level: number): Promise<Buffer> {
  return deflate(filterRows(pixels), { level });
}

/** Length, type, data and checksum, ready to be written one after the other. */
export function chunk(type: string, data: Uint8Array): Uint8Array[] {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(data.length, 0);
  head.write(type, 4, 'latin1');
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(crc32(data, crc32(head.subarray(4))), 0);
  return [head, data, tail];
}

/** Whether a PNG can hold a text under this key. */
export function isTextKey(key: string): boolean {
  return key.length >= 1 && key.length <= 79 && !/[^\x20-\x7e\xa1-\xff]/.test(key);
}

function textChunk(key: string, value: string): Uint8Array[] {
  if (!isTextKey(key)) {
    throw new RangeError(`PNG text key '${key}': expected 1 to 79 Latin-1 characters`);
  }
  const name = Buffer.from(`${key}\0`, 'latin1');
  if (isLatin1Text(value)) {
    return chunk('tEXt', Buffer.concat([name, Buffer.from(value, 'latin1')]));
  }
  return chunk('iTXt', Buffer.concat([name, Buffer.alloc(4), Buffer.from(value, 'utf8')]));
}

/** Whether tEXt can hold the value: Latin-1 without NUL. */
function isLatin1Text(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code === 0 || code > 255) return false;
  }
  return true;
}

/** Rows longer than this are judged by a sample of their pixels. */
const SAMPLED_ROW = 1024;

/**
 * Rows with their filter byte: for each row the filter with the smallest sum of absolute
 * differences (the heuristic of the PNG specification) out of none, sub, up and Paeth.
 */
function filterRows(pixels: Pixels): Uint8Array {
  const { width, height, data } = pixels;
  const bpp = pixelSize(pixels);
  const length = width * bpp;
  const out = new Uint8Array(height * (length + 1));
  const zero = new Uint8Array(length);
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * length, (y + 1) * length);
    const up = y === 0 ? zero : data.subarray((y - 1) * length, y * length);
    const type = bestFilter(row, up, bpp);
    const at = y * (length + 1);
    out[at] = type;
    applyFilter(type, row, up, bpp, out.subarray(at + 1, at + 1 + length));
  }
  return out;
}

function bestFilter(row: Uint8Array, up: Uint8Array, bpp: number): number {
  const step = row.length > SAMPLED_ROW ? bpp * 5 : bpp;
  let [none, sub, above, paeth] = [0, 0, 0, 0];
  for (let start = bpp; start + bpp <= row.length; start += step) {
    for (let i = start; i < start + bpp; i++) {
      const v = row[i];
      const a = row[i - bpp];
      const b = up[i];
      none += magnitude(v);
      sub += magnitude(v - a);
      above += magnitude(v - b);
      paeth += magnitude(v - predict(a, b, up[i - bpp]));
    }
  }
  const least = Math.min(none, sub, above, paeth);
  return least === paeth ? 4 : least === above ? 2 : least === sub ? 1 : 0;
}

/** Size of a difference as a signed byte. */
function magnitude(difference: number): number {
  const byte = (difference << 24) >> 24;
  return byte < 0 ? -byte : byte;
}

function predict(a: number, b: number, c: number): number {
  const p = b - c;
  const q = a - c;
  const pa = p < 0 ? -p : p;
  const pb = q < 0 ? -q : q;
  const r = p + q;
  const pc = r < 0 ? -r : r;
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

function applyFilter(
  type: number,
  row: Uint8Array,
  up: Uint8Array,
  bpp: number,
  out: Uint8Array,
): void {
  const length = row.length;
  if (type === 0) out.set(row);
  else if (type === 2) {
    for (let i = 0; i < length; i++) out[i] = row[i] - up[i];
  } else {
    // The first pixel has nothing on its left: sub leaves it, Paeth predicts it from above.
    for (let i = 0; i < bpp; i++) out[i] = type === 1 ? row[i] : row[i] - up[i];
    if (type === 1) {
      for (let i = bpp; i < length; i++) out[i] = row[i] - row[i - bpp];
    } else {
      for (let i = bpp; i < length; i++) {
        out[i] = row[i] - predict(row[i - bpp], up[i], up[i - bpp]);
      }
    }
  }
}
