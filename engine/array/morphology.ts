/** Grey-value morphology: the largest or smallest value of a window around each cell. */
import { sub } from './elementwise.ts';
import { type NDArray, nd } from './nd.ts';

export type MorphologyOperation =
  'erode' | 'dilate' | 'open' | 'close' | 'gradient' | 'bottom_hat' | 'top_hat';

/** An operation with a size x size window of ones on pictures [b, h, w, c]. */
export function morphology(x: NDArray, operation: MorphologyOperation, size: number): NDArray {
  switch (operation) {
    case 'erode':
      return windowExtreme(x, size, 'min');
    case 'dilate':
      return windowExtreme(x, size, 'max');
    case 'open':
      return windowExtreme(windowExtreme(x, size, 'min'), size, 'max');
    case 'close':
      return windowExtreme(windowExtreme(x, size, 'max'), size, 'min');
    case 'gradient':
      return sub(windowExtreme(x, size, 'max'), windowExtreme(x, size, 'min'));
    case 'top_hat':
      return sub(x, morphology(x, 'open', size));
    case 'bottom_hat':
      return sub(morphology(x, 'close', size), x);
  }
}

/**
 * Masks [b, h, w] grown (expand > 0) or shrunk by |expand| cells: `tapered` in four directions
 * (a diamond), else in eight (a square). The border neither grows nor eats.
 */
export function growMask(mask: NDArray, expand: number, tapered: boolean): NDArray {
  if (expand === 0) return mask;
  const kind = expand > 0 ? 'max' : 'min';
  const steps = Math.abs(expand);
  if (tapered) return diamondExtreme(mask, steps, kind);
  const [b, h, w] = mask.shape;
  const square = windowExtreme(nd(mask.data, [b, h, w, 1]), 2 * steps + 1, kind);
  return nd(square.data, mask.shape);
}

type Kind = 'max' | 'min';

/** Window −floor(size/2) .. size−1−floor(size/2) in both directions; cells outside do not count. */
function windowExtreme(x: NDArray, size: number, kind: Kind): NDArray {
  const [b, h, w, c] = x.shape;
  const across = slideExtreme(x.data, { outer: b * h, length: w, inner: c }, size, kind);
  return nd(slideExtreme(across, { outer: b, length: h, inner: w * c }, size, kind), x.shape);
}

/** Cells beside each other that are worked on together, so that the scratch space stays in cache. */
const STRIP = 256;

/**
 * van Herk (1992): extremes from the start and from the end of blocks of `size` cells; each window
 * is the end of one block and the start of the next, so the cost does not depend on its size.
 */
function slideExtreme(
  data: Float32Array,
  { outer, length, inner }: { outer: number; length: number; inner: number },
  size: number,
  kind: Kind,
): Float32Array {
  const out = new Float32Array(data.length);
  const sign = kind === 'max' ? 1 : -1;
  const before = Math.floor(size / 2);
  const padded = Math.ceil((length + size - 1) / size) * size;
  const strip = Math.min(STRIP, inner);
  const source = new Float32Array(padded * strip);
  const fromStart = new Float32Array(padded * strip);
  for (let o = 0; o < outer; o++) {
    for (let column = 0; column < inner; column += strip) {
      const n = Math.min(strip, inner - column);
      source.fill(-Infinity);
      for (let i = 0; i < length; i++) {
        const from = (o * length + i) * inner + column;
        for (let k = 0; k < n; k++) source[(before + i) * n + k] = sign * data[from + k];
      }
      for (let i = 0; i < padded; i++) {
        for (let k = i * n; k < (i + 1) * n; k++) {
          fromStart[k] = i % size === 0 ? source[k] : Math.max(fromStart[k - n], source[k]);
        }
      }
      // The source itself becomes the extreme up to the end of its block.
      for (let i = padded - 2; i >= 0; i--) {
        if ((i + 1) % size === 0) continue;
        for (let k = i * n; k < (i + 1) * n; k++) source[k] = Math.max(source[k + n], source[k]);
      }
      for (let i = 0; i < length; i++) {
        const to = (o * length + i) * inner + column;
        for (let k = 0; k < n; k++) {
          out[to + k] = sign * Math.max(source[i * n + k], fromStart[(i + size - 1) * n + k]);
        }
      }
    }
  }
  return out;
}

/** `steps` times the extreme of each cell and its four neighbours; stops when nothing changes. */
function diamondExtreme(mask: NDArray, steps: number, kind: Kind): NDArray {
  const [b, h, w] = mask.shape;
  const sign = kind === 'max' ? 1 : -1;
  let now = mask.data.map((v) => sign * v);
  let next = new Float32Array(now.length);
  for (let step = 0, changed = true; step < steps && changed; step++) {
    changed = false;
    for (let n = 0; n < b; n++) {
      for (let y = 0; y < h; y++) {
        for (let x = 0, i = (n * h + y) * w; x < w; x++, i++) {
          let v = now[i];
          if (x > 0 && now[i - 1] > v) v = now[i - 1];
          if (x < w - 1 && now[i + 1] > v) v = now[i + 1];
          if (y > 0 && now[i - w] > v) v = now[i - w];
          if (y < h - 1 && now[i + w] > v) v = now[i + w];
          next[i] = v;
          changed ||= v !== now[i];
        }
      }
    }
    [now, next] = [next, now];
  }
  return nd(
    now.map((v) => sign * v),
    mask.shape,
  );
}
