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

/** Values beside each other that are worked on together, so that the scratch space stays in cache. */
const STRIP = 64;

/**
 * Extremes along one axis by doubling: windows of 2 cells from single ones, of 4 from those of 2 …;
 * the wanted window is two overlapping ones of the last size. Its cost grows with log2(size) only.
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
  const strip = Math.min(STRIP, inner);
  const scratch = new Float32Array((length + size - 1) * strip);
  for (let o = 0; o < outer; o++) {
    for (let column = 0; column < inner; column += strip) {
      const n = Math.min(strip, inner - column);
      const cells = (length + size - 1) * n;
      scratch.fill(-Infinity);
      for (let i = 0; i < length; i++) {
        const from = (o * length + i) * inner + column;
        const to = (before + i) * n;
        for (let k = 0; k < n; k++) scratch[to + k] = sign * data[from + k];
      }
      let window = 1;
      for (; window * 2 <= size; window *= 2) {
        const shift = window * n;
        for (let k = 0; k < cells - shift; k++) {
          scratch[k] = larger(scratch[k], scratch[k + shift]);
        }
      }
      const rest = (size - window) * n;
      for (let i = 0; i < length; i++) {
        const to = (o * length + i) * inner + column;
        const from = i * n;
        for (let k = 0; k < n; k++) {
          out[to + k] = sign * larger(scratch[from + k], scratch[from + k + rest]);
        }
      }
    }
  }
  return out;
}

/** Math.max without its care for NaN and −0, which costs more than the rest. */
const larger = (a: number, b: number): number => (a > b ? a : b);

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
