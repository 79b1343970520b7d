/** Layers: functions of a tensor and the weights under a cursor, under torch's names. */
import type { Weights } from './cursor.ts';
import { normOps } from './ops/norms.ts';
import { placeOps } from './ops/places.ts';
import { productOps } from './ops/products.ts';
import { type ConvOptions, convAttrs, spread, windowOps } from './ops/windows.ts';
import { type Tensor, node } from './tensor.ts';

/** x [..., in] times weight [out, in], plus bias [out] where the checkpoint has one: [..., out]. */
export const linear = (w: Weights, x: Tensor): Tensor =>
  w.layer(x, (weight, bias) => node(productOps.linear, present(x, weight, bias), {}, w.scope));

/** Convolution over the spatial axes of the weight [out, in / groups, ...kernel]; 1-D, 2-D or 3-D. */
export const conv = (w: Weights, x: Tensor, options: ConvOptions = {}): Tensor =>
  w.layer(x, (weight, bias) =>
    node(windowOps.conv, present(x, weight, bias), convAttrs(weight, options), w.scope),
  );

/** 2-D convolution of x [b, c, h, w]; `pad` is one number or [top, left, bottom, right]. */
export const conv2d = conv;

/** Transposed convolution with weight [in, out / groups, ...kernel]. */
export function convTranspose(
  w: Weights,
  x: Tensor,
  options: ConvOptions & { readonly outputPad?: number } = {},
): Tensor {
  const weight = w.param('weight');
  const n = weight.shape.length - 2;
  const { stride = 1, pad = 0, outputPad = 0, dilation = 1, groups = 1 } = options;
  const attrs = {
    strides: spread(stride, n),
    pads: spread(pad, 2 * n),
    outputPads: spread(outputPad, n),
    ...(dilation !== 1 && { dilations: spread(dilation, n) }),
    groups,
  };
  return node(windowOps.convTranspose, [x, weight, ...optional(w, 'bias')], attrs, w.scope);
}

/** Normalises x [b, c, ...] over groups of channels and all positions (Wu & He 2018). */
export function groupNorm(
  w: Weights,
  x: Tensor,
  { groups = 32, eps = 1e-5 }: { groups?: number; eps?: number } = {},
): Tensor {
  return node(normOps.groupNorm, [x, w.param('weight'), w.param('bias')], { groups, eps }, w.scope);
}

/** Normalises the last axis of x; weight and bias are used where the checkpoint has them. */
export function layerNorm(w: Weights, x: Tensor, { eps = 1e-5 }: { eps?: number } = {}): Tensor {
  const affine = w.has('weight') ? [w.param('weight'), ...optional(w, 'bias')] : [];
  return node(normOps.layerNorm, [x, ...affine], { eps }, w.scope);
}

/** x / sqrt(mean(x^2) + eps) over the last axis, times `weight` (or `scale`) where there is one. */
export function rmsNorm(w: Weights, x: Tensor, { eps = 1e-6 }: { eps?: number } = {}): Tensor {
  const name = w.has('weight') ? 'weight' : 'scale';
  return node(normOps.rmsNorm, [x, ...optional(w, name)], { eps }, w.scope);
}

/** Rows of weight [count, c] at integer ids of any shape: [...ids, c]. */
export function embedding(w: Weights, ids: Tensor): Tensor {
  return node(placeOps.gather, [w.param('weight'), ids], { axis: 0 }, w.scope);
}

const present = (...inputs: readonly (Tensor | undefined)[]): Tensor[] =>
  inputs.filter((input) => input !== undefined);

function optional(w: Weights, name: string): Tensor[] {
  return w.has(name) ? [w.param(name)] : [];
}
