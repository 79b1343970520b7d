/**
 * SPAN: attention without parameters, computed from a block's own result.
 *
 * Paper: Wan et al. 2024, "Swift Parameter-free Attention Network". Its layers (`Conv3XC`) are trained
 * as three convolutions beside a fourth, and run as the one 3x3 convolution they amount to.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d } from '../../tensor/layers.ts';
import {
  add,
  concat,
  conv as convolve,
  matmul,
  mul,
  padZero,
  permute,
  reshape,
  sigmoid,
  silu,
  squeeze,
  sub,
  sum,
} from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { UpscaleKind } from './kind.ts';
import { centred, pixelShuffle, shuffleSizes } from './pixels.ts';

interface SpanConfig {
  readonly scale: number;
}

const required = [
  'conv_1.sk.weight',
  'block_1.c1_r.sk.weight',
  'block_1.c1_r.eval_conv.weight',
  'block_1.c3_r.eval_conv.weight',
  'conv_cat.weight',
  'conv_2.sk.weight',
  'conv_2.eval_conv.weight',
  'upsampler.0.weight',
];

export const span: UpscaleKind<SpanConfig> = {
  name: 'SPAN',
  detect(w) {
    if (!required.every((key) => w.has(key))) return undefined;
    const [, inputChannels] = w.shape('conv_1.sk.weight');
    const sizes = shuffleSizes(w.shape('upsampler.0.weight')[0], inputChannels);
    return sizes && { ...sizes, inputChannels, config: { scale: sizes.scale } };
  },
  build(w, picture, { scale }) {
    const first = conv3xc(w.at('conv_1'), w.has('no_norm') ? picture : centred(picture, 255));
    const blocks = [1, 2, 3, 4, 5, 6].map((n) => w.at(`block_${n}`));
    let h = first;
    const results = blocks.map((block) => {
      const result = attentionBlock(block, h);
      h = result.out;
      return result;
    });
    const last = conv3xc(w.at('conv_2'), h);
    const all = concat([first, last, results[0].out, results[5].inner], 1); // [1, 4*c, h, w]
    const merged = conv2d(w.at('conv_cat'), all);
    return pixelShuffle(conv2d(w.at('upsampler.0'), merged, { pad: 1 }), scale);
  },
};

/** The block's result, and its first layer's, which the end of the network reads too. */
function attentionBlock(w: Weights, x: Tensor): { readonly out: Tensor; readonly inner: Tensor } {
  const inner = silu(conv3xc(w.at('c1_r'), x));
  const h = conv3xc(w.at('c3_r'), silu(conv3xc(w.at('c2_r'), inner)));
  return { out: mul(add(h, x), sub(sigmoid(h), 0.5)), inner };
}

/** The layer as one convolution: 1x1, 3x3 and 1x1 multiplied out, and the 1x1 beside them (`sk`). */
function conv3xc(w: Weights, x: Tensor): Tensor {
  const [first, middle, last] = [0, 1, 2].map((n) => w.at(`conv.${n}`));
  const matrix = (layer: Weights): Tensor => squeeze(layer.param('weight'), [2, 3]); // [out, in]
  const taps = permute(middle.param('weight'), [2, 3, 0, 1]); // [3, 3, out, in]
  const kernel = permute(matmul(matmul(matrix(last), taps), matrix(first)), [2, 3, 0, 1]);
  const beside = padZero(w.at('sk').param('weight'), [
    [1, 1],
    [1, 1],
  ]);
  // what the first layer's bias becomes behind the others, inside the picture as at its border
  const column = (layer: Weights): Tensor => reshape(layer.param('bias'), [-1, 1]);
  const inside = add(matmul(sum(middle.param('weight'), [2, 3]), column(first)), column(middle));
  const bias = add(add(matmul(matrix(last), inside), column(last)), column(w.at('sk')));
  return add(convolve(x, add(kernel, beside), { pad: 1 }), reshape(bias, [-1, 1, 1]));
}
