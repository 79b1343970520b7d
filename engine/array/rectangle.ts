/** Rectangles cut out of, framed by, and pasted onto pictures and latents. */
import { concat, repeatToBatch } from './batch.ts';
import { type NDArray, full, nd, reshape, sizeOf } from './nd.ts';
import { interpolate, resizeMask } from './resize.ts';
import { clamp } from './round.ts';

export interface Rectangle {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** The rectangle of every picture [b, h, w, c], cut to what lies inside. */
export function cropImage(x: NDArray, { top, left, height, width }: Rectangle): NDArray {
  const [b, h, w, c] = x.shape;
  const rowsKept = Math.max(0, Math.min(top + height, h) - top);
  const columns = Math.max(0, Math.min(left + width, w) - left);
  const out = new Float32Array(b * rowsKept * columns * c);
  for (let n = 0, to = 0; n < b; n++) {
    for (let y = 0; y < rowsKept; y++, to += columns * c) {
      const from = ((n * h + top + y) * w + left) * c;
      out.set(x.data.subarray(from, from + columns * c), to);
    }
  }
  return nd(out, [b, rowsKept, columns, c]);
}

/** `cropImage` on the last two axes: masks [b, h, w], latents [b, c, h, w], videos. */
export function cropPlanes(x: NDArray, rectangle: Rectangle): NDArray {
  const rank = x.shape.length;
  const [h, w] = x.shape.slice(rank - 2);
  const outer = x.shape.slice(0, rank - 2);
  const planes = nd(x.data, [x.data.length / (h * w) || 0, h, w, 1]);
  const cut = cropImage(planes, rectangle);
  return nd(cut.data, [...outer, cut.shape[1], cut.shape[2]]);
}

/** Pictures [b, h, w, c] on a canvas of one value, `top`/`left` from its corner. */
export function padImage(
  x: NDArray,
  { top, left, height, width }: Rectangle,
  value: number,
): NDArray {
  const [b, h, w, c] = x.shape;
  const canvas = full([b, height, width, c], value);
  for (let n = 0; n < b; n++) {
    for (let y = 0; y < h; y++) {
      const from = (n * h + y) * w * c;
      const to = ((n * height + top + y) * width + left) * c;
      canvas.data.set(x.data.subarray(from, from + w * c), to);
    }
  }
  return canvas;
}

/** Pictures with one more channel of ones behind the others, or cut to `channels`. */
export function withChannels(x: NDArray, channels: number): NDArray {
  const [b, h, w, c] = x.shape;
  if (c === channels) return x;
  if (c < channels) return concat([x, full([b, h, w, channels - c], 1)], 3);
  const out = new Float32Array(b * h * w * channels);
  for (let i = 0, from = 0, to = 0; i < b * h * w; i++, from += c, to += channels) {
    for (let k = 0; k < channels; k++) out[to + k] = x.data[from + k];
  }
  return nd(out, [b, h, w, channels]);
}

export interface PasteOptions {
  /** In cells of the destination times `multiplier`. */
  readonly x: number;
  readonly y: number;
  /** Pixels per cell: 8 for latents, 1 for pictures. */
  readonly multiplier: number;
  /** Weight of the source, [m, h, w] of any size. */
  readonly mask?: NDArray | undefined;
  /** Stretch the source over the whole destination first. */
  readonly resizeSource: boolean;
}

/** Frames of [b, c, frames, h, w] as further channels. */
function framesAsChannels(x: NDArray): NDArray {
  const [batch, ...rest] = x.shape;
  return reshape(x, [batch, sizeOf(rest.slice(0, -2)), ...rest.slice(-2)]);
}

/**
 * ComfyUI's masked composite of [b, c, h, w] onto [B, c, H, W], or of as many frames [b, c, f, h, w]: the mask is
 * resized (bilinear) to the source, source and mask are repeated to the batch, and what falls outside is cut.
 */
export function pasteMasked(
  destination: NDArray,
  source: NDArray,
  { x, y, multiplier, mask, resizeSource }: PasteOptions,
): NDArray {
  const [batch, channels, H, W] = framesAsChannels(destination).shape;
  const pasted = framesAsChannels(source);
  if (pasted.shape[1] !== channels) {
    throw new RangeError(`composite: expected ${channels} channels, got ${pasted.shape[1]}`);
  }
  const scaled = resizeSource ? interpolate(pasted, H, W, 'bilinear') : pasted;
  const [, , h, w] = scaled.shape;
  const from = repeatToBatch(scaled, batch);
  const weight = mask && repeatToBatch(resizeMask(mask, w, h, 'bilinear'), batch);
  const left = Math.floor(clamp(x, -w * multiplier, W * multiplier) / multiplier);
  const top = Math.floor(clamp(y, -h * multiplier, H * multiplier) / multiplier);
  const out = destination.data.slice();
  const [firstRow, lastRow] = [Math.max(0, -top), Math.min(h, H - top)];
  const [first, last] = [Math.max(0, -left), Math.min(w, W - left)];
  for (let plane = 0; plane < batch * channels; plane++) {
    const item = Math.floor(plane / channels);
    for (let row = firstRow; row < lastRow; row++) {
      const s = (plane * h + row) * w;
      const d = (plane * H + top + row) * W + left;
      const m = (item * h + row) * w;
      for (let i = first; i < last; i++) {
        const k = weight ? weight.data[m + i] : 1;
        out[d + i] = k * from.data[s + i] + (1 - k) * out[d + i];
      }
    }
  }
  return nd(out, destination.shape);
}
