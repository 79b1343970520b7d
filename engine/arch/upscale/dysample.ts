/**
 * DySample: enlarging by sampling features at places that the features themselves name.
 *
 * Paper: Liu et al. 2023, "Learning to Upsample by Learning to Sample". Places outside the picture
 * mean its border.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d } from '../../tensor/layers.ts';
import {
  add,
  cast,
  chunk,
  clamp,
  concat,
  floor,
  gather,
  minimum,
  mul,
  range,
  reshape,
  sigmoid,
  sizeTensor,
  slice,
  sub,
  unsqueeze,
} from '../../tensor/nn.ts';
import { type Dim, subDim } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { pixelShuffle } from './pixels.ts';

/** Features [1, c, h, w] as [1, c', h*scale, w*scale]; c' is c without a last convolution. */
export function dySample(w: Weights, x: Tensor, scale: number): Tensor {
  const [, channels, height, width] = x.shape;
  const gate = mul(sigmoid(conv2d(w.at('scope'), x)), 0.5);
  const offsets = add(mul(conv2d(w.at('offset'), x), gate), w.param('init_pos'));
  const [dx, dy] = chunk(offsets, 2, 1); // [1, groups*scale^2, h, w]
  const places = {
    x: pixelShuffle(within(add(dx, cast(range(width), 'f32')), width), scale),
    y: pixelShuffle(within(add(dy, unsqueeze(cast(range(height), 'f32'), 1)), height), scale),
  };
  const groups = places.x.shape[1] as number; // weights have fixed sizes
  const each = (channels as number) / groups;
  const parts = Array.from({ length: groups }, (_, g) => {
    const one = (place: Tensor): Tensor => slice(place, 1, g, g + 1); // [1, 1, H, W]
    return sampleBilinear(slice(x, 1, g * each, (g + 1) * each), one(places.x), one(places.y));
  });
  const sampled = concat(parts, 1); // [1, c, H, W]
  return w.has('end_conv') ? conv2d(w.at('end_conv'), sampled) : sampled;
}

const within = (place: Tensor, size: Dim): Tensor => minimum(clamp(place, 0), lastPlace(size));

const lastPlace = (size: Dim): Tensor => cast(sizeTensor(subDim(size, 1)), 'f32');

/** x [1, c, h, w] at places between its pixels, which lie within it: [1, c, H, W] for [1, 1, H, W]. */
function sampleBilinear(x: Tensor, px: Tensor, py: Tensor): Tensor {
  const [, channels, height, width] = x.shape;
  const flat = reshape(x, [channels, -1]);
  const [left, top] = [floor(px), floor(py)];
  const right = minimum(add(left, 1), lastPlace(width));
  const bottom = minimum(add(top, 1), lastPlace(height));
  const at = (column: Tensor, row: Tensor): Tensor => {
    const stride = sizeTensor(width);
    const index = add(mul(cast(row, 'i64'), stride), cast(column, 'i64')); // [1, 1, H, W]
    return gather(flat, reshape(index, px.shape.slice(1)), 1); // [c, 1, H, W]
  };
  const [fx, fy] = [sub(px, left), sub(py, top)];
  const mix = (a: Tensor, b: Tensor, share: Tensor): Tensor => add(a, mul(sub(b, a), share));
  const upper = mix(at(left, top), at(right, top), fx);
  const lower = mix(at(left, bottom), at(right, bottom), fx);
  return reshape(mix(upper, lower, fy), [1, channels, ...px.shape.slice(2)]);
}
