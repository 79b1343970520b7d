/** Truevision TGA. sharp's libvips is built without this format. */
import { type Frame, grayToRgb, paletteToRgb, splitAlpha } from '../frame.ts';
import { badImage, checkImageSize } from '../limits.ts';

/** Palette, RGB(A) and gray pictures, plain or run-length packed. Throws IMAGE_FILE. */
export function decodeTga(bytes: Uint8Array): Frame {
  const word = (at: number): number => bytes[at] | (bytes[at + 1] << 8);
  const [width, height] = [word(12), word(14)];
  checkImageSize(width, height);
  const [kind, depth, flags] = [bytes[2], bytes[16], bytes[17]];
  const paletteBytes = bytes[1] === 1 ? word(5) * (bytes[7] >> 3) : 0;
  const start = 18 + bytes[0] + paletteBytes;
  const bytesPerPixel = Math.max(1, depth >> 3);
  const plain = readPixels(bytes.subarray(start), {
    size: width * height * bytesPerPixel,
    step: bytesPerPixel,
    packed: (kind & 8) !== 0,
    bilevelRow: depth === 1 ? Math.ceil(width / 8) : 0,
    width,
    height,
  });
  const pixels = arrange(plain, { width, height, step: bytesPerPixel, flags });
  const size = { width, height };
  switch (`${kind & 7}:${depth}`) {
    case '3:1':
    case '3:8':
      return { ...size, rgb: grayToRgb(pixels) };
    case '3:16':
      return { ...size, ...splitAlpha(spread(pixels, 2, ([v, a]) => [v, v, v, a])) };
    case '2:16':
      return { ...size, ...splitAlpha(spread(pixels, 2, ([l, h]) => rgba15(l | (h << 8)))) };
    case '2:24':
      return { ...size, rgb: swapRedBlue(pixels, 3) };
    case '2:32':
      return { ...size, ...splitAlpha(swapRedBlue(pixels, 4)) };
    case '1:8':
      return paletteFrame(bytes, pixels, size);
    default:
      throw badImage(`TGA type ${kind} with ${depth} bits is unknown`);
  }
}

function readPixels(
  source: Uint8Array,
  at: {
    size: number;
    step: number;
    packed: boolean;
    bilevelRow: number;
    width: number;
    height: number;
  },
): Uint8Array {
  const out = new Uint8Array(at.size);
  if (at.bilevelRow > 0) {
    for (let i = 0; i < out.length; i++) {
      const [y, x] = [Math.floor(i / at.width), i % at.width];
      const byte = source[y * at.bilevelRow + (x >> 3)] ?? 0;
      out[i] = (byte >> (7 - (x & 7))) & 1 ? 255 : 0;
    }
    return out;
  }
  if (!at.packed) {
    out.set(source.subarray(0, at.size));
    return out;
  }
  for (let from = 0, to = 0; to < out.length && from < source.length;) {
    const head = source[from++];
    const length = Math.min(((head & 127) + 1) * at.step, out.length - to);
    if (head & 128) {
      for (let i = 0; i < length; i++) out[to + i] = source[from + (i % at.step)] ?? 0;
      from += at.step;
    } else {
      out.set(source.subarray(from, from + length), to);
      from += length;
    }
    to += length;
  }
  return out;
}

/** Rows from the top, columns from the left, whatever corner the file starts at. */
function arrange(
  pixels: Uint8Array,
  { width, height, step, flags }: { width: number; height: number; step: number; flags: number },
): Uint8Array {
  const [fromTop, fromRight] = [(flags & 0x20) !== 0, (flags & 0x10) !== 0];
  if (fromTop && !fromRight) return pixels;
  const out = new Uint8Array(pixels.length);
  for (let y = 0; y < height; y++) {
    const row = fromTop ? y : height - 1 - y;
    for (let x = 0; x < width; x++) {
      const from = (row * width + (fromRight ? width - 1 - x : x)) * step;
      const to = (y * width + x) * step;
      for (let c = 0; c < step; c++) out[to + c] = pixels[from + c];
    }
  }
  return out;
}

function swapRedBlue(pixels: Uint8Array, step: 3 | 4): Uint8Array {
  const out = pixels.slice();
  for (let i = 0; i < out.length; i += step) {
    out[i] = pixels[i + 2];
    out[i + 2] = pixels[i];
  }
  return out;
}

function spread(
  pixels: Uint8Array,
  step: number,
  convert: (pixel: Uint8Array) => readonly number[],
): Uint8Array {
  const out = new Uint8Array((pixels.length / step) * 4);
  for (let i = 0, to = 0; i < pixels.length; i += step, to += 4) {
    out.set(convert(pixels.subarray(i, i + step)), to);
  }
  return out;
}

/** Five bits a channel; the top bit set means transparent. */
function rgba15(v: number): readonly number[] {
  const channel = (shift: number): number => Math.trunc((((v >> shift) & 31) * 255) / 31);
  return [channel(10), channel(5), channel(0), v & 0x8000 ? 0 : 255];
}

function paletteFrame(
  bytes: Uint8Array,
  indices: Uint8Array,
  size: { width: number; height: number },
): Frame {
  if (bytes[1] !== 1) return { ...size, rgb: grayToRgb(indices) };
  const start = bytes[3] | (bytes[4] << 8);
  const depth = bytes[7];
  const count = Math.min(bytes[5] | (bytes[6] << 8), 256 - Math.min(start, 256));
  if (![16, 24, 32].includes(depth)) throw badImage(`TGA palette of ${depth} bits is unknown`);
  const step = depth >> 3;
  const source = bytes.subarray(18 + bytes[0]);
  const palette = new Uint8Array(768);
  const alpha = new Uint8Array(256).fill(255);
  for (let i = 0; i < count && (i + 1) * step <= source.length; i++) {
    const at = i * step;
    const [r, g, b, a] =
      step === 2
        ? rgba15(source[at] | (source[at + 1] << 8))
        : [source[at + 2], source[at + 1], source[at], 255];
    palette.set([r, g, b], (start + i) * 3);
    alpha[start + i] = a;
  }
  const rgb = paletteToRgb(indices, palette);
  return step === 2 ? { ...size, rgb, keyedAlpha: indices.map((v) => alpha[v]) } : { ...size, rgb };
}
