/**
 * EXIF texts in WebP files. Written here because the picture library cuts EXIF at 64 KB, which
 * workflows exceed.
 */
import { badImage } from '../limits.ts';

const EXIF_FLAG = 0x08;
const ALPHA_FLAG = 0x10;

/** A WebP file with texts under EXIF tags (ASCII type, of any length). Throws IMAGE_FILE. */
export function withExifTexts(
  webp: Uint8Array,
  texts: ReadonlyMap<number, string>,
  canvas: { width: number; height: number; hasAlpha: boolean },
): Uint8Array {
  if (texts.size === 0) return webp;
  const chunks = readChunks(webp).filter(({ type }) => type !== 'EXIF');
  const extended = chunks[0]?.type === 'VP8X' ? chunks.shift()!.data.slice() : newHeader(canvas);
  extended[0] |= EXIF_FLAG;
  const all = [
    { type: 'VP8X', data: extended },
    ...chunks,
    { type: 'EXIF', data: exifBlock(texts) },
  ];
  const body = Buffer.concat([Buffer.from('WEBP'), ...all.flatMap(writeChunk)]);
  const head = Buffer.from('RIFF\0\0\0\0');
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

function readChunks(webp: Uint8Array): Chunk[] {
  const bytes = Buffer.from(webp.buffer, webp.byteOffset, webp.byteLength);
  const chunks: Chunk[] = [];
  for (let at = 12; at + 8 <= bytes.length;) {
    const length = bytes.readUInt32LE(at + 4);
    if (at + 8 + length > bytes.length) throw badImage('a WebP chunk is cut short');
    const type = bytes.toString('latin1', at, at + 4);
    chunks.push({ type, data: bytes.subarray(at + 8, at + 8 + length) });
    at += 8 + length + (length % 2);
  }
  return chunks;
}

/** What simple files lack: flags and the canvas size less one, 24 bits each. */
function newHeader({
  width,
  height,
  hasAlpha,
}: {
  width: number;
  height: number;
  hasAlpha: boolean;
}): Uint8Array {
  const header = Buffer.alloc(10);
  header[0] = hasAlpha ? ALPHA_FLAG : 0;
  header.writeUIntLE(width - 1, 4, 3);
  header.writeUIntLE(height - 1, 7, 3);
  return header;
}

function writeChunk({ type, data }: Chunk): Uint8Array[] {
  const head = Buffer.alloc(8);
  head.write(type, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return data.length % 2 === 0 ? [head, data] : [head, data, Buffer.alloc(1)];
}

/** A TIFF structure with one directory of texts, tags ascending. */
function exifBlock(texts: ReadonlyMap<number, string>): Uint8Array {
  const entries = [...texts].sort(([a], [b]) => a - b);
  const directory = Buffer.alloc(8 + 2 + entries.length * 12 + 4);
  directory.write('II*\0', 'latin1');
  directory.writeUInt32LE(8, 4);
  directory.writeUInt16LE(entries.length, 8);
  const values: Buffer[] = [];
  let offset = directory.length;
  entries.forEach(([tag, text], i) => {
    // At least five bytes, so that the value always lies at its offset, never in the entry itself.
    const value = Buffer.from(`${text}\0`.padEnd(5, '\0'), 'latin1');
    const at = 10 + i * 12;
    directory.writeUInt16LE(tag, at);
    directory.writeUInt16LE(2, at + 2);
    directory.writeUInt32LE(value.length, at + 4);
    directory.writeUInt32LE(offset, at + 8);
    values.push(value);
    offset += value.length;
  });
  return Buffer.concat([directory, ...values]);
}
