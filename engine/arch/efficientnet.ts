/**
 * The features of EfficientNetV2-S (Tan & Le 2021) as torchvision names them: `w` stands on `features`, whose
 * kinds of blocks and widths come from the keys. In: x [b, c, h, w]; out: [b, c', h/32, w/32], odd sizes
 * rounded up.
 */
import type { Weights } from '../tensor/cursor.ts';
import { conv2d } from '../tensor/layers.ts';
import { add, mean, mul, sigmoid, silu } from '../tensor/nn.ts';
import { sameDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { batchNorm } from './upscale/pixels.ts';

/** How far the first block of each stage steps; the stem is stage 0. */
const strides = [2, 1, 2, 2, 2, 1, 2];
const eps = 1e-3;

/** `stemPad` is what is put around the picture. */
export function efficientNet(w: Weights, x: Tensor, { stemPad = 1 } = {}): Tensor {
  let h = silu(normed(w.at('0'), conv2d(w.at('0.0'), x, { stride: strides[0], pad: stemPad })));
  let stage = 1;
  for (; w.has(`${stage}.0.block`); stage++) {
    for (let i = 0; w.has(`${stage}.${i}`); i++) {
      h = residual(w.at(`${stage}.${i}.block`), h, i === 0 ? strides[stage] : 1);
    }
  }
  const last = w.at(String(stage));
  return silu(normed(last, conv2d(last.at('0'), h)));
}

/** Layers to more channels and back; added to x where nothing else changes. */
function residual(w: Weights, x: Tensor, stride: number): Tensor {
  let h = x;
  for (let i = 0; w.has(String(i)); i++) {
    const layer = w.at(String(i));
    if (layer.has('fc1')) {
      h = squeezed(layer, h);
      continue;
    }
    const [outputs, perGroup, size] = layer.shape('0.weight');
    const groups = perGroup === 1 ? outputs : 1;
    h = normed(
      layer,
      conv2d(layer.at('0'), h, size === 1 ? { groups } : { groups, stride, pad: 1 }),
    );
    // back to few channels nothing bends
    if (i === 0 || w.has(String(i + 1))) h = silu(h);
  }
  return stride === 1 && sameDim(h.shape[1], x.shape[1]) ? add(h, x) : h;
}

const normed = (w: Weights, x: Tensor): Tensor => batchNorm(w.at('1'), x, { eps });

/** Every channel by what the whole picture says of it (Hu et al. 2018). */
function squeezed(w: Weights, x: Tensor): Tensor {
  const all = mean(x, [2, 3], { keep: true }); // [b, c, 1, 1]
  return mul(x, sigmoid(conv2d(w.at('fc2'), silu(conv2d(w.at('fc1'), all)))));
}
