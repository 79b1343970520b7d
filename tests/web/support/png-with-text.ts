import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';

export interface TextChunk {
  readonly key: string;
  readonly text: string;
  readonly kind?: 'tEXt' | 'iTXt' | 'iTXt compressed';
}

/** A small PNG with text chunks after its header, as picture savers write them. */
export async function pngWithText(chunks: readonly TextChunk[]): Promise<Buffer> {
  const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'teal' } })
    .png()
    .toBuffer();
  const headerEnd = 8 + 25;
  return Buffer.concat([
    png.subarray(0, headerEnd),
    ...chunks.map(textChunk),
    png.subarray(headerEnd),
  ]);
}

function textChunk({ key, text, kind = 'tEXt' }: TextChunk): Buffer {
  if (kind === 'tEXt') return chunk('tEXt', Buffer.from(`${key}\0${text}`, 'latin1'));
  const packed = kind === 'iTXt compressed';
  const head = Buffer.from([0, packed ? 1 : 0, 0, 0, 0]);
  const body = packed ? deflateSync(text) : Buffer.from(text);
  return chunk('iTXt', Buffer.concat([Buffer.from(key), head, body]));
}

function chunk(type: string, body: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type), body]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, check]);
}
