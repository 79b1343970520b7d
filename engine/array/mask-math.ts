/** Masks [b, h, w] combined, feathered and made from colours. */
import { rows } from './batch.ts';
import { type NDArray, nd } from './nd.ts';
import { clamp, roundHalfEven } from './round.ts';

export type MaskOperation = 'multiply' | 'add' | 'subtract' | 'and' | 'or' | 'xor';

const isSet = (v: number): boolean => roundHalfEven(v) !== 0;

const OPERATIONS: Readonly<Record<MaskOperation, (d: number, s: number) => number>> = {
  multiply: (d, s) => d * s,
  add: (d, s) => d + s,
  subtract: (d, s) => d - s,
  and: (d, s) => (isSet(d) && isSet(s) ? 1 : 0),
  or: (d, s) => (isSet(d) || isSet(s) ? 1 : 0),
  xor: (d, s) => (isSet(d) !== isSet(s) ? 1 : 0),
};

/**
 * `source` laid on `destination` at (x, y) with an operation where they overlap; the result is
 * limited to 0..1 everywhere. A batch of one serves every item of the other.
 */
export function compositeMasks(
  destination: NDArray,
  source: NDArray,
  { x, y, operation }: { x: number; y: number; operation: MaskOperation },
): NDArray {
  const f = OPERATIONS[operation];
  const [b, H, W] = destination.shape;
  const [count, h, w] = source.shape;
  if (count !== 1 && count !== b) {
    throw new RangeError(`mask composite: batches of ${b} and ${count} masks do not fit`);
  }
  const out = destination.data.map((v) => clamp(v, 0, 1));
  for (let n = 0; n < b; n++) {
    for (let j = 0; j < h && y + j < H; j++) {
      for (let i = 0; i < w && x + i < W; i++) {
        const to = (n * H + y + j) * W + x + i;
        const from = ((count === 1 ? 0 : n) * h + j) * w + i;
        out[to] = clamp(f(destination.data[to], source.data[from]), 0, 1);
      }
    }
  }
  return nd(out, destination.shape);
}

/**
 * Linear ramps on the sides of masks. The reference counts right and bottom from −0, so their first
 * factor lands on column/row 0 and the last column/row starts with the second one; that is kept.
 */
export function featherMask(
  mask: NDArray,
  sides: { left: number; top: number; right: number; bottom: number },
): NDArray {
  const [b, h, w] = mask.shape;
  const [columns, lines] = [new Float64Array(w).fill(1), new Float64Array(h).fill(1)];
  ramp(columns, sides.left, (i) => i);
  ramp(columns, sides.right, (i) => (w - i) % w);
  ramp(lines, sides.top, (i) => i);
  ramp(lines, sides.bottom, (i) => (h - i) % h);
  const out = new Float32Array(mask.data.length);
  for (let n = 0, i = 0; n < b; n++) {
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++, i++) out[i] = mask.data[i] * columns[x] * lines[y];
    }
  }
  return nd(out, mask.shape);
}

function ramp(factors: Float64Array, size: number, at: (i: number) => number): void {
  const count = Math.min(size, factors.length);
  for (let i = 0; i < count; i++) factors[at(i)] *= (i + 1) / count;
}

/** 1 where a pixel's rounded 8-bit colour is the 24-bit `colour`. */
export function colourMask({ data, shape }: NDArray, colour: number): NDArray {
  const [b, h, w, c] = shape;
  const out = new Float32Array(b * h * w);
  const byte = (v: number): number => roundHalfEven(Math.fround(clamp(v, 0, 1) * 255));
  for (let i = 0; i < out.length; i++) {
    const [r, g, blue] = [data[i * c], data[i * c + 1], data[i * c + 2]].map(byte);
    out[i] = r * 65536 + g * 256 + blue === colour ? 1 : 0;
  }
  return nd(out, [b, h, w]);
}

/** One channel of pictures [b, h, w, c] as masks; throws RangeError when there is no such channel. */
export function channelMask({ data, shape }: NDArray, channel: number): NDArray {
  const [b, h, w, c] = shape;
  if (channel >= c) throw new RangeError(`picture: channel ${channel} of ${c} does not exist`);
  const out = new Float32Array(b * h * w);
  for (let i = 0; i < out.length; i++) out[i] = data[i * c + channel];
  return nd(out, [b, h, w]);
}

/** Masks as pictures of three equal channels. */
export function maskToImage({ data, shape }: NDArray): NDArray {
  const [h, w] = shape.slice(-2);
  const out = new Float32Array(data.length * 3);
  for (let i = 0; i < data.length; i++) out.fill(data[i], i * 3, i * 3 + 3);
  return nd(out, [data.length / (h * w), h, w, 3]);
}

/** Pictures with alpha = 1 − mask as a fourth channel; as many as there are of both. */
export function joinAlpha(image: NDArray, mask: NDArray): NDArray {
  const count = Math.min(image.shape[0], mask.shape[0]);
  const [, h, w, c] = image.shape;
  const out = new Float32Array(count * h * w * 4);
  const pixels = rows(image, 0, count).data;
  for (let i = 0; i < count * h * w; i++) {
    for (let k = 0; k < 3; k++) out[i * 4 + k] = pixels[i * c + k];
    out[i * 4 + 3] = 1 - mask.data[i];
  }
  return nd(out, [count, h, w, 4]);
}
