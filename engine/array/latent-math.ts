/** Arithmetic on latents [b, c, h, w] (or [b, c, t, h, w]) that looks at whole channel vectors. */
import { concat, repeatToBatch, rows, sliceAxis } from './batch.ts';
import { type NDArray, nd, sizeOf } from './nd.ts';
import { commonUpscale } from './resize.ts';
import { clamp } from './round.ts';

/** `x` scaled (bilinear, centred crop) to the size of `like`, and repeated or cut to its batch. */
export function matchLatent(x: NDArray, like: NDArray): NDArray {
  return repeatToBatch(matchLatentSize(x, like), like.shape[0]);
}

/** `x` scaled (bilinear, centred crop) to the size of `like`; its batch stays. */
export function matchLatentSize(x: NDArray, like: NDArray): NDArray {
  const same = x.shape.slice(1).join() === like.shape.slice(1).join();
  if (same) return x;
  const [h, w] = like.shape.slice(-2);
  return commonUpscale(x, w, h, 'bilinear', 'center');
}

/**
 * LatentInterpolate: directions and lengths of the channel vectors mixed separately, a·ratio +
 * b·(1 − ratio). The reference divides [b, c, …] by lengths [b, …] without a channel axis: with as
 * many items as channels, channel j gets the lengths of item j. That is kept.
 */
export function interpolateLatents(a: NDArray, b: NDArray, ratio: number): NDArray {
  const [batch, channels] = a.shape;
  const cells = sizeOf(a.shape.slice(2));
  const byChannel = batch === channels && batch > 1;
  const lengthAt = (i: number): number => {
    const item = byChannel ? Math.floor(i / cells) % channels : Math.floor(i / (cells * channels));
    return item * cells + (i % cells);
  };
  const [na, nb] = [vectorLengths(a), vectorLengths(b)];
  const mixed = new Float32Array(a.data.length);
  for (let i = 0; i < mixed.length; i++) {
    const k = lengthAt(i);
    const p = finite(a.data[i] / na[k]);
    const q = finite(b.data[i] / nb[k]);
    mixed[i] = p * ratio + q * (1 - ratio);
  }
  const nm = vectorLengths(nd(mixed, a.shape));
  const out = new Float32Array(mixed.length);
  for (let i = 0; i < out.length; i++) {
    const k = lengthAt(i);
    out[i] = finite(mixed[i] / nm[k]) * (na[k] * ratio + nb[k] * (1 - ratio));
  }
  return nd(out, a.shape);
}

/** torch's nan_to_num in fp32. */
function finite(v: number): number {
  if (Number.isNaN(v)) return 0;
  const largest = 3.4028234663852886e38;
  return Math.min(largest, Math.max(-largest, v));
}

/** Euclidean length over the channels: [b, cells]. */
export function vectorLengths({ data, shape }: NDArray): Float32Array {
  const [batch, channels] = shape;
  const cells = sizeOf(shape.slice(2));
  const out = new Float32Array(batch * cells);
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < cells; i++) {
      let sum = 0;
      for (let c = 0; c < channels; c++) sum += data[(n * channels + c) * cells + i] ** 2;
      out[n * cells + i] = Math.sqrt(sum);
    }
  }
  return out;
}

/** Every channel vector times a factor of its cell, factors [b, cells]. */
export function scaleVectors({ data, shape }: NDArray, factors: Float32Array): NDArray {
  const [batch, channels] = shape;
  const cells = sizeOf(shape.slice(2));
  const out = new Float32Array(data.length);
  for (let n = 0, i = 0; n < batch; n++) {
    for (let c = 0; c < channels; c++) {
      for (let k = 0; k < cells; k++, i++) out[i] = data[i] * factors[n * cells + k];
    }
  }
  return nd(out, shape);
}

/**
 * Reinhard's tone mapping (2002) of the channel vectors' lengths: lengths far above
 * (mean + 5 standard deviations)·multiplier are pressed together.
 */
export function tonemapReinhard(x: NDArray, multiplier: number): NDArray {
  const batch = x.shape[0];
  const lengths = vectorLengths(x).map((v) => v + 1e-10);
  const cells = lengths.length / batch;
  const factors = new Float32Array(lengths.length);
  for (let n = 0; n < batch; n++) {
    const item = lengths.subarray(n * cells, (n + 1) * cells);
    const mean = item.reduce((sum, v) => sum + v, 0) / cells;
    const variance = item.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (cells - 1);
    const top = (Math.sqrt(variance) * 5 + mean) * multiplier;
    item.forEach((length, i) => {
      const m = length / top;
      factors[n * cells + i] = ((m / (m + 1)) * top) / length;
    });
  }
  return scaleVectors(x, factors);
}

/**
 * LatentComposite: `source` pasted at cell (x, y), cut at the right and bottom border; with
 * `feather` its sides that do not lie on the border of `destination` fade over so many cells.
 */
export function pasteFeathered(
  destination: NDArray,
  source: NDArray,
  { x, y, feather }: { x: number; y: number; feather: number },
): NDArray {
  const [H, W] = destination.shape.slice(-2);
  const [h, w] = source.shape.slice(-2);
  const from = repeatToBatch(source, destination.shape[0]);
  const [height, width] = [Math.min(h, Math.max(0, H - y)), Math.min(w, Math.max(0, W - x))];
  const weight = new Float32Array(height * width).fill(1);
  for (let t = 0; t < feather; t++) {
    const factor = (1 / feather) * (t + 1);
    for (let i = 0; i < width; i++) {
      if (y !== 0 && t < height) weight[t * width + i] *= factor;
      if (y + height < H && t < height) weight[(height - 1 - t) * width + i] *= factor;
    }
    for (let j = 0; j < height; j++) {
      if (x !== 0 && t < width) weight[j * width + t] *= factor;
      if (x + width < W && t < width) weight[j * width + width - 1 - t] *= factor;
    }
  }
  const out = destination.data.slice();
  const planes = out.length / (H * W);
  for (let p = 0; p < planes; p++) {
    for (let j = 0; j < height; j++) {
      for (let i = 0; i < width; i++) {
        const to = (p * H + y + j) * W + x + i;
        const k = weight[j * width + i];
        out[to] = from.data[(p * h + j) * w + i] * k + out[to] * (1 - k);
      }
    }
  }
  return nd(out, destination.shape);
}

/**
 * [b, c, …] cut along `axis` (2 or later) into pieces of `size`, which become the batch: each item's pieces
 * after one another. What does not fill a piece is dropped; a larger size takes the whole axis.
 */
export function piecesAsBatch(x: NDArray, axis: number, size: number): NDArray {
  const length = x.shape[axis];
  const piece = Math.min(size, length);
  const count = Math.floor(length / piece);
  return concat(
    Array.from({ length: x.shape[0] }, (_, n) => {
      const item = rows(x, n, n + 1);
      const pieces = Array.from({ length: count }, (_, i) =>
        sliceAxis(item, axis, i * piece, (i + 1) * piece),
      );
      return concat(pieces);
    }),
  );
}

/** The frames of `source` [b, c, t, h, w] in place of those of `destination` from `at` on. */
export function withFrames(destination: NDArray, source: NDArray, at: number): NDArray {
  const [, , frames] = destination.shape;
  const end = at + source.shape[2];
  const fit = repeatToBatch(source, destination.shape[0]);
  return concat([sliceAxis(destination, 2, 0, at), fit, sliceAxis(destination, 2, end, frames)], 2);
}

/** Mean and unbiased standard deviation. */
interface Statistics {
  readonly mean: number;
  readonly deviation: number;
}

function statistics(values: Float32Array): Statistics {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

/**
 * The first `count` frames of videos [b, c, t, h, w], each brought to the mean and deviation of `reference`
 * (all of its items together), as far as those are at most 0.3 below and 0.35 above its own mean, 0.35 below
 * and 0.5 above its own deviation (ComfyUI's NormalizeVideoLatentStart).
 */
export function normalizeFrames(x: NDArray, count: number, reference: NDArray): NDArray {
  const [items, channels, frames, ...plane] = x.shape;
  const cells = sizeOf(plane);
  const target = statistics(reference.data);
  const data = x.data.slice();
  for (let item = 0; item < items; item++) {
    for (let frame = 0; frame < Math.min(count, frames); frame++) {
      const own = statistics(sliceAxis(rows(x, item, item + 1), 2, frame, frame + 1).data);
      const mean = clamp(target.mean, own.mean - 0.3, own.mean + 0.35);
      const deviation = clamp(target.deviation, own.deviation - 0.35, own.deviation + 0.5);
      for (let channel = 0; channel < channels; channel++) {
        const from = ((item * channels + channel) * frames + frame) * cells;
        for (let i = from; i < from + cells; i++) {
          data[i] = ((data[i] - own.mean) / (own.deviation + 1e-8)) * deviation + mean;
        }
      }
    }
  }
  return nd(data, x.shape);
}
