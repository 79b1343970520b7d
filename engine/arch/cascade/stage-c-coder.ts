/**
 * What makes stage C's latents of pictures, and what shows them small: an EfficientNet, and a decoder for
 * previews that was trained beside it.
 *
 * Source: Stability AI's StableCascade, whose key names released files carry. Encoder: pictures
 * [b, 3, 32*h, 32*w] in -1..1 to latents [b, 16, h, w]; previewer: latents to pictures [b, 3, 8*h, 8*w].
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, convTranspose } from '../../tensor/layers.ts';
import { add, constant, div, gelu, mul, reshape, sub } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { efficientNet } from '../efficientnet.ts';
import { batchNorm } from '../upscale/pixels.ts';

export interface StageCCoderConfig {
  readonly latentChannels: number;
  /** Where the halves lie that the file has; an empty path is the file itself. */
  readonly encoder?: string;
  readonly previewer?: string;
  /** The previewer's channels at full size. */
  readonly width: number;
}

/** The halves under `w`, which files have together or one alone; undefined where there is none. */
export function detectStageCCoder(w: Weights): StageCCoderConfig | undefined {
  const encoder = ['encoder', ''].find((path) => under(w, path).has(encoderMark));
  const previewer = ['previewer', ''].find((path) => under(w, path).has(previewerMark));
  if (encoder === undefined && previewer === undefined) return undefined;
  const latentChannels =
    encoder === undefined
      ? under(w, previewer!).shape('blocks.0.weight')[1]
      : under(w, encoder).shape('mapper.0.weight')[0];
  const width = previewer === undefined ? 0 : under(w, previewer).shape('blocks.21.weight')[1];
  return {
    latentChannels,
    ...(encoder !== undefined && { encoder }),
    ...(previewer !== undefined && { previewer }),
    width,
  };
}

const encoderMark = 'backbone.1.0.block.0.1.num_batches_tracked';
const previewerMark = 'blocks.11.num_batches_tracked';

const under = (w: Weights, path: string): Weights => (path === '' ? w : w.at(path));

/** ImageNet's mean and deviation, where a file does not say them. */
const colours = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** The latent of a picture [b, 3, 32*h, 32*w] in -1..1: [b, 16, h, w]; `path` is the encoder's. */
export function encodeStageC(root: Weights, picture: Tensor, path: string): Tensor {
  const w = under(root, path);
  const of = (name: 'mean' | 'std'): Tensor =>
    reshape(w.has(name) ? w.param(name) : constant(colours[name]), [1, 3, 1, 1]);
  const x = div(sub(add(mul(picture, 0.5), 0.5), of('mean')), of('std'));
  const features = efficientNet(w.at('backbone'), x);
  return batchNorm(w.at('mapper.1'), conv2d(w.at('mapper.0'), features));
}

/** A small picture of a latent [b, 16, h, w]: [b, 3, 8*h, 8*w], about -1..1, not clamped. */
export function previewStageC(root: Weights, latent: Tensor, path: string): Tensor {
  const blocks = under(root, path).at('blocks');
  let h = latent;
  for (let i = 0; blocks.has(String(i)); i += 3) {
    const layer = blocks.at(String(i));
    h = convolved(layer, h);
    const norm = blocks.at(String(i + 2)); // between them nothing has weights
    if (norm.has('running_mean')) h = batchNorm(norm, gelu(h));
  }
  return mul(sub(h, 0.5), 2);
}

/** By the size of the filter: place by place, over neighbours, or to twice the size. */
function convolved(w: Weights, x: Tensor): Tensor {
  const [, , size] = w.shape('weight');
  if (size === 2) return convTranspose(w, x, { stride: 2 });
  return conv2d(w, x, { pad: size >> 1 });
}
