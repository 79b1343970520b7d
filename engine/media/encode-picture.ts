/** Single pictures in any of the formats that savers offer. */
import { encodeGif, encodeWebp } from './animation.ts';
import { type Pixels, encodePng } from './formats/png/encode.ts';
import { encodeRaw } from './sharp.ts';

export interface PictureOptions {
  /** 1..100, where the format loses something. */
  readonly quality: number;
  readonly lossless: boolean;
  /** Workflow texts, in the formats that have a place for them (PNG, WebP). */
  readonly text: readonly (readonly [key: string, value: string])[];
}

type Encode = (pixels: Pixels, options: PictureOptions) => Promise<Uint8Array>;

const jpeg: Encode = ({ data, ...raw }, { quality }) =>
  encodeRaw(data, raw, (picture) => picture.removeAlpha().jpeg({ quality }));

/** By the ending of the file's name. They throw IMAGE_FILE. */
export const pictureEncoders = {
  png: (pixels, { text }) => encodePng(pixels, { level: 9, text }),
  jpg: jpeg,
  jpeg,
  gif: (pixels) => encodeGif([pixels], { milliseconds: 0, repeats: 0 }),
  tiff: ({ data, ...raw }) =>
    encodeRaw(data, raw, (picture) => picture.tiff({ compression: 'none' })),
  webp: (pixels, { quality, lossless, text }) =>
    encodeWebp([pixels], { milliseconds: 0, effort: 4, quality, lossless, text }),
  bmp: (pixels) => Promise.resolve(encodeBmp(pixels)),
} as const satisfies Readonly<Record<string, Encode>>;

/** Windows bitmap of 24 bits, rows from the bottom; grey becomes RGB, alpha goes. */
function encodeBmp({ data, width, height, channels }: Pixels): Uint8Array {
  const header = 54;
  const row = Math.ceil((width * 3) / 4) * 4;
  const out = Buffer.alloc(header + row * height);
  out.write('BM');
  out.writeUInt32LE(out.length, 2);
  out.writeUInt32LE(header, 10);
  out.writeUInt32LE(40, 14);
  out.writeInt32LE(width, 18);
  out.writeInt32LE(height, 22);
  out.writeUInt16LE(1, 26);
  out.writeUInt16LE(24, 28);
  const green = channels > 2 ? 1 : 0;
  for (let y = 0; y < height; y++) {
    let to = header + (height - 1 - y) * row;
    for (let x = 0; x < width; x++, to += 3) {
      const from = (y * width + x) * channels;
      out[to] = data[from + 2 * green];
      out[to + 1] = data[from + green];
      out[to + 2] = data[from];
    }
  }
  return out;
}
