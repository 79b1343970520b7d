/** Pictures of few colours: Pillow's palette, its colour lookup and its two ways of dithering. */
import { type NDArray, nd } from '../array/nd.ts';
import { clamp } from '../array/round.ts';
import { medianCutPalette } from './median-cut.ts';

export type Dither = 'none' | 'floyd-steinberg' | 'bayer-2' | 'bayer-4' | 'bayer-8' | 'bayer-16';

/**
 * Pictures [b, h, w, c] with at most `colors` colours each; channels after the third stay.
 * Throws RangeError for fewer than three channels.
 */
export function quantizeImage(x: NDArray, colors: number, dither: Dither): NDArray {
  const [b, h, w, c] = x.shape;
  if (c < 3) throw new RangeError(`quantize: expected 3 channels, got ${c}`);
  const out = x.data.slice();
  const rgb = new Uint8Array(h * w * 3);
  for (let n = 0; n < b; n++) {
    const base = n * h * w * c;
    for (let i = 0; i < h * w; i++) {
      // torch's cast to bytes: cut, and wrapped beyond 255
      for (let k = 0; k < 3; k++) rgb[i * 3 + k] = Math.fround(x.data[base + i * c + k] * 255);
    }
    const palette = medianCutPalette(rgb, colors);
    const indices = mapPixels(rgb, w, palette, dither);
    for (let i = 0; i < h * w; i++) {
      for (let k = 0; k < 3; k++) out[base + i * c + k] = palette[indices[i] * 3 + k] / 255;
    }
  }
  return nd(out, x.shape);
}

function mapPixels(
  rgb: Uint8Array,
  width: number,
  palette: Uint8Array,
  dither: Dither,
): Uint8Array {
  const nearest = new NearestColour(palette);
  if (dither === 'floyd-steinberg') return diffuse(rgb, width, palette, nearest);
  const source = dither === 'none' ? rgb : orderedNoise(rgb, width, palette.length / 3, dither);
  const out = new Uint8Array(rgb.length / 3);
  for (let i = 0; i < out.length; i++) {
    out[i] = nearest.find(source[i * 3], source[i * 3 + 1], source[i * 3 + 2]);
  }
  return out;
}

/** Nearest palette entry, looked up on a grid of steps of 4: the colour is cut to it first. */
class NearestColour {
  private readonly palette: Uint8Array;
  private readonly cache = new Int16Array(64 * 64 * 64).fill(-1);

  constructor(palette: Uint8Array) {
    this.palette = palette;
  }

  find(r: number, g: number, b: number): number {
    const slot = ((r >> 2) << 12) | ((g >> 2) << 6) | (b >> 2);
    if (this.cache[slot] < 0) this.cache[slot] = this.search(r & 0xfc, g & 0xfc, b & 0xfc);
    return this.cache[slot];
  }

  private search(r: number, g: number, b: number): number {
    let best = 0;
    let least = Infinity;
    for (let i = 0; i < this.palette.length; i += 3) {
      const d =
        (this.palette[i] - r) ** 2 +
        (this.palette[i + 1] - g) ** 2 +
        (this.palette[i + 2] - b) ** 2;
      if (d < least) {
        least = d;
        best = i / 3;
      }
    }
    return best;
  }
}

/** Floyd and Steinberg (1976): 7/16 right, 3/16 down left, 5/16 down, 1/16 down right. */
function diffuse(
  rgb: Uint8Array,
  width: number,
  palette: Uint8Array,
  nearest: NearestColour,
): Uint8Array {
  const out = new Uint8Array(rgb.length / 3);
  // One cell of space on the left; sums are kept in sixteenths.
  const errors = new Int32Array((width + 1) * 3);
  const [now, below, belowRight] = [new Int32Array(3), new Int32Array(3), new Int32Array(3)];
  const colour = new Int32Array(3);
  for (let row = 0; row < out.length; row += width) {
    for (const carried of [now, below, belowRight]) carried.fill(0);
    for (let x = 0; x < width; x++) {
      for (let k = 0; k < 3; k++) {
        const error = Math.trunc((now[k] + errors[(x + 1) * 3 + k]) / 16);
        colour[k] = clamp(rgb[(row + x) * 3 + k] + error, 0, 255);
      }
      const index = nearest.find(colour[0], colour[1], colour[2]);
      out[row + x] = index;
      for (let k = 0; k < 3; k++) {
        const error = colour[k] - palette[index * 3 + k];
        errors[x * 3 + k] = 3 * error + below[k];
        below[k] = 5 * error + belowRight[k];
        belowRight[k] = error;
        now[k] = 7 * error;
      }
    }
    // The reference keeps only blue errors for the cell beyond the row's end; its neighbour reads them.
    errors.set([below[2], belowRight[2], belowRight[2]], width * 3);
  }
  return out;
}

/** The picture plus a Bayer matrix (1973) as wide as the palette is coarse. */
function orderedNoise(
  rgb: Uint8Array,
  width: number,
  colors: number,
  dither: Exclude<Dither, 'none' | 'floyd-steinberg'>,
): Uint8Array {
  const order = Number(dither.slice('bayer-'.length));
  const spread = Math.fround(512 / colors);
  const matrix = bayerMatrix(order).map((v) => Math.fround(Math.fround(spread * v) + 0.5));
  const out = new Uint8Array(rgb.length);
  for (let i = 0; i < rgb.length; i++) {
    const pixel = Math.floor(i / 3);
    const [y, x] = [Math.floor(pixel / width) % order, (pixel % width) % order];
    out[i] = clamp(Math.fround(rgb[i] + matrix[y * order + x]), 0, 255);
  }
  return out;
}

/** order x order thresholds around 0, `order` a power of two. */
function bayerMatrix(order: number): number[] {
  if (order === 1) return [0];
  const half = order / 2;
  const inner = bayerMatrix(half);
  const offsets = [-1.5, 0.5, 1.5, -0.5];
  const q = order * order;
  return Array.from({ length: q }, (_, i) => {
    const [y, x] = [Math.floor(i / order), i % order];
    const quadrant = (y < half ? 0 : 2) + (x < half ? 0 : 1);
    return (q * inner[(y % half) * half + (x % half)] + offsets[quadrant]) / q;
  });
}
