/** Windows and OS/2 bitmaps. sharp's libvips is built without this format. */
import { type Frame, grayToRgb, paletteToRgb } from '../frame.ts';
import { badImage, checkImageSize } from '../limits.ts';

interface BmpHeader {
  readonly width: number;
  readonly height: number;
  readonly topDown: boolean;
  readonly bits: number;
  readonly compression: number;
  readonly colors: number;
  readonly headerSize: number;
  /** Where the pixels begin. */
  readonly offset: number;
}

/** Uncompressed, bit field, RLE8 and RLE4 bitmaps, with the reference's rules for alpha. */
export function decodeBmp(bytes: Uint8Array): Frame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = parseHeader(view);
  const { width, height, bits, topDown } = header;
  const size = { width, height };
  if (bits > 8) {
    const layout = layoutOf(view, header);
    const stride = ((width * bits + 31) >> 3) & ~3;
    return { ...size, ...readColours(bytes, header, layout, stride) };
  }
  const { palette, gray } = readPalette(bytes, header);
  const compressed = header.compression === 1 || header.compression === 2;
  if (!compressed && header.compression !== 0) {
    throw badImage(`BMP compression ${header.compression} is unknown`);
  }
  const rows = compressed ? readRle(bytes, header) : readIndices(bytes, header);
  const indices = topDown ? rows : flipRows(rows, width);
  return { ...size, rgb: gray ? grayToRgb(indices.map(gray)) : paletteToRgb(indices, palette) };
}

function parseHeader(view: DataView): BmpHeader {
  const headerSize = view.getUint32(14, true);
  const start = { headerSize, offset: view.getUint32(10, true) };
  if (headerSize === 12) {
    const [width, height] = [view.getUint16(18, true), view.getUint16(20, true)];
    checkImageSize(width, height);
    const bits = view.getUint16(24, true);
    return { ...start, width, height, topDown: false, bits, compression: 0, colors: 1 << bits };
  }
  if (![40, 52, 56, 64, 108, 124].includes(headerSize) || view.byteLength < 14 + headerSize) {
    throw badImage(`BMP header size ${headerSize} is unknown`);
  }
  const signedHeight = view.getInt32(22, true);
  const topDown = signedHeight < 0;
  const [width, height] = [view.getUint32(18, true), Math.abs(signedHeight)];
  checkImageSize(width, height);
  const bits = view.getUint16(28, true);
  if (![1, 4, 8, 16, 24, 32].includes(bits)) throw badImage(`BMP with ${bits} bits is unknown`);
  return {
    ...start,
    width,
    height,
    topDown,
    bits,
    compression: view.getUint32(30, true),
    colors: view.getUint32(46, true) || 2 ** bits,
  };
}

/** Byte (32, 24 bits) or bit (16) positions of the channels. */
interface Layout {
  readonly r: number;
  readonly g: number;
  readonly b: number;
  readonly a?: number;
  /** Green width of 16-bit pixels. */
  readonly green?: 5 | 6;
}

const BGR: Layout = { r: 2, g: 1, b: 0 };

/** The bit masks the reference accepts; all others are an error there too. */
const MASKS: Readonly<Record<string, Layout>> = {
  '32:ff0000,ff00,ff,0': BGR,
  '32:ff000000,ff0000,ff00,0': { r: 3, g: 2, b: 1 },
  '32:ff000000,ff00,ff,0': { r: 3, g: 1, b: 0 },
  '32:ff000000,ff0000,ff00,ff': { r: 3, g: 2, b: 1, a: 0 },
  '32:ff,ff00,ff0000,ff000000': { r: 0, g: 1, b: 2, a: 3 },
  '32:ff0000,ff00,ff,ff000000': { r: 2, g: 1, b: 0, a: 3 },
  '32:ff000000,ff00,ff,ff0000': { r: 3, g: 1, b: 0, a: 2 },
  '32:0,0,0,0': { r: 2, g: 1, b: 0, a: 3 },
  '24:ff0000,ff00,ff': BGR,
  '16:f800,7e0,1f': { r: 11, g: 5, b: 0, green: 6 },
  '16:7c00,3e0,1f': { r: 10, g: 5, b: 0, green: 5 },
};

function layoutOf(view: DataView, header: BmpHeader): Layout {
  const { bits, compression, headerSize } = header;
  if (compression === 0) return bits === 16 ? { r: 10, g: 5, b: 0, green: 5 } : BGR;
  if (compression !== 3) throw badImage(`BMP compression ${compression} is unknown`);
  // The masks lie in the header, or right behind a 40-byte one.
  const count = bits === 32 ? 4 : 3;
  const inHeader = headerSize >= 56 ? 4 : 3;
  const masks = Array.from({ length: count }, (_, i) =>
    i < inHeader && 58 + i * 4 <= view.byteLength ? view.getUint32(54 + i * 4, true) : 0,
  );
  const layout = MASKS[`${bits}:${masks.map((mask) => mask.toString(16)).join()}`];
  if (!layout) throw badImage('its BMP bit fields are unknown');
  return layout;
}

function readColours(
  bytes: Uint8Array,
  { width, height, topDown, bits, offset }: BmpHeader,
  { r, g, b, a, green }: Layout,
  stride: number,
): Pick<Frame, 'rgb' | 'alpha'> {
  const rgb = new Uint8Array(width * height * 3);
  const alpha = a === undefined ? undefined : new Uint8Array(width * height);
  const step = bits >> 3;
  for (let y = 0; y < height; y++) {
    let from = offset + (topDown ? y : height - 1 - y) * stride;
    let to = y * width * 3;
    // Bytes beyond the end of a file that was cut short read as 0.
    for (let x = 0; x < width && from + step <= bytes.length; x++, from += step, to += 3) {
      if (green) {
        const v = bytes[from] | (bytes[from + 1] << 8);
        rgb[to] = Math.trunc((((v >> r) & 31) * 255) / 31);
        rgb[to + 1] =
          green === 6
            ? Math.trunc((((v >> g) & 63) * 255) / 63)
            : Math.trunc((((v >> g) & 31) * 255) / 31);
        rgb[to + 2] = Math.trunc(((v & 31) * 255) / 31);
      } else {
        rgb[to] = bytes[from + r];
        rgb[to + 1] = bytes[from + g];
        rgb[to + 2] = bytes[from + b];
        if (alpha) alpha[to / 3] = bytes[from + a!];
      }
    }
  }
  return alpha ? { rgb, alpha } : { rgb };
}

/** The palette as RGB; `gray` when it is a plain gray ramp, where indices are the values. */
function readPalette(
  bytes: Uint8Array,
  { headerSize, colors, bits }: BmpHeader,
): { palette: Uint8Array; gray?: (index: number) => number } {
  if (colors < 1 || colors > 65536) throw badImage(`a BMP palette of ${colors} colours`);
  const padding = headerSize === 12 ? 3 : 4;
  const start = 14 + headerSize;
  const count = Math.min(colors, 256);
  const palette = new Uint8Array(count * 3);
  let isGray = true;
  for (let i = 0; i < count; i++) {
    const from = start + i * padding;
    for (let c = 0; c < 3; c++) palette[i * 3 + c] = bytes[from + 2 - c] ?? 0;
    const expected = colors === 2 ? i * 255 : i;
    isGray &&= palette.subarray(i * 3, i * 3 + 3).every((v) => v === expected);
  }
  if (!isGray || colors > 256) return { palette };
  const bilevel = colors === 2 && bits === 1;
  return { palette, gray: bilevel ? (v) => (v ? 255 : 0) : (v) => v };
}

function readIndices(bytes: Uint8Array, { width, height, bits, offset }: BmpHeader): Uint8Array {
  const stride = ((width * bits + 31) >> 3) & ~3;
  const out = new Uint8Array(width * height);
  const mask = (1 << bits) - 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * bits;
      const byte = bytes[offset + y * stride + (bit >> 3)] ?? 0;
      out[y * width + x] = (byte >> (8 - bits - (bit & 7))) & mask;
    }
  }
  return out;
}

/** Run-length rows, bottom row first. */
function readRle(bytes: Uint8Array, { width, height, compression, offset }: BmpHeader): Uint8Array {
  const four = compression === 2;
  const out = new Uint8Array(width * height);
  let at = offset;
  let to = 0;
  let x = 0;
  const put = (value: number): void => {
    if (to < out.length) out[to++] = value;
  };
  while (to < out.length && at + 2 <= bytes.length) {
    const count = bytes[at++];
    const value = bytes[at++];
    if (count > 0) {
      const run = x + count > width ? Math.max(0, width - x) : count;
      for (let i = 0; i < run; i++) put(four ? (i % 2 ? value & 15 : value >> 4) : value);
      x += run;
    } else if (value === 0) {
      while (to % width !== 0) put(0);
      x = 0;
    } else if (value === 1) {
      break;
    } else if (value === 2) {
      to += (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * width;
      at += 2;
      x = to % width;
    } else {
      const length = four ? value >> 1 : value;
      for (let i = 0; i < length && at < bytes.length; i++, at++) {
        if (four) put(bytes[at] >> 4);
        put(four ? bytes[at] & 15 : bytes[at]);
      }
      x += value;
      at += at % 2; // aligned to 16 bits in the file
    }
  }
  return out;
}

function flipRows(rows: Uint8Array, width: number): Uint8Array {
  const out = new Uint8Array(rows.length);
  const height = rows.length / width;
  for (let y = 0; y < height; y++) {
    out.set(rows.subarray(y * width, (y + 1) * width), (height - 1 - y) * width);
  }
  return out;
}
