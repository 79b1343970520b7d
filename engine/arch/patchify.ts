/** Pictures as sequences of square patches, and back (Dosovitskiy et al. 2021). */
import { gather, less, range, rearrange, sizeTensor, slice, sub, where } from '../tensor/nn.ts';
import { type Dim, ceilDivDim, mulDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** In which order a patch's numbers lie: channel, row, column, or channel last. */
export type PatchOrder = 'c p q' | 'p q c';

/** Rows and columns of patches. */
export interface Grid {
  readonly rows: Dim;
  readonly columns: Dim;
}

/** The patches of a picture [b, c, h, w] of any size. */
export const gridOf = ({ shape: [, , height, width] }: Tensor, patch: number): Grid => ({
  rows: ceilDivDim(height, patch),
  columns: ceilDivDim(width, patch),
});

/** x [b, c, h, w] with its own first rows and columns behind it where it ends within a patch. */
export function wholePatches(x: Tensor, patch: number): Tensor {
  const { rows, columns } = gridOf(x, patch);
  return wrapTo(wrapTo(x, 2, mulDim(rows, patch)), 3, mulDim(columns, patch));
}

/** x [b, c, h, w] as patches in rows (see `wholePatches`): [b, rows*columns, patch*patch*c]. */
export function patchify(x: Tensor, patch: number, order: PatchOrder = 'c p q'): Tensor {
  return rearrange(wholePatches(x, patch), `b c (h p) (w q) -> b (h w) (${order})`, {
    p: patch,
    q: patch,
  });
}

/** The picture of `like`'s size whose patches are the rows of x [b, rows*columns, patch*patch*c]. */
export function unpatchify(
  x: Tensor,
  like: Tensor,
  patch: number,
  order: PatchOrder = 'c p q',
): Tensor {
  const { rows, columns } = gridOf(like, patch);
  const sizes = { h: rows, w: columns, p: patch, q: patch };
  const whole = rearrange(x, `b (h w) (${order}) -> b c (h p) (w q)`, sizes);
  return slice(slice(whole, 2, 0, like.shape[2]), 3, 0, like.shape[3]);
}

/** Every frame of x [b, c, f, h, w] as a picture: [b*f, c, h, w]. */
export const frameOf = (x: Tensor): Tensor => rearrange(x, 'b c f h w -> (b f) c h w');

/** Patches of the frames of x [b, c, f, h, w] after one another: [b, f*rows*columns, patch*patch*c]. */
export function patchifyFrames(x: Tensor, patch: number, order?: PatchOrder): Tensor {
  const patches = patchify(frameOf(x), patch, order);
  return rearrange(patches, '(b f) n c -> b (f n) c', { f: x.shape[2] });
}

/** The frames of `like`'s size whose patches are the rows of x. */
export function unpatchifyFrames(
  x: Tensor,
  like: Tensor,
  patch: number,
  order?: PatchOrder,
): Tensor {
  const f = like.shape[2];
  const frames = rearrange(x, 'b (f n) c -> (b f) n c', { f });
  const pictures = unpatchify(frames, frameOf(like), patch, order);
  return rearrange(pictures, '(b f) c h w -> b c f h w', { f });
}

/** An axis up to `size`, from its start again where it ends before. */
function wrapTo(x: Tensor, axis: number, size: Dim): Tensor {
  const place = range(size);
  const end = sizeTensor(x.shape[axis]);
  return gather(x, where(less(place, end), place, sub(place, end)), axis);
}
