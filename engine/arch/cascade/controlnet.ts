/**
 * Control networks of Stable Cascade's stage C: features of a hint that are added before some of its blocks.
 *
 * Source: Stability AI's StableCascade, whose key names released files carry. In: the hint [b, c, 32*h, 32*w]
 * as a picture, or [b, c, h, w] as a latent (super resolution); out: features [b, c', h, w].
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d } from '../../tensor/layers.ts';
import { add, gelu, leakyRelu } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { efficientNet } from '../efficientnet.ts';
import type { ResidualPlace, ResidualPlaces } from '../residual-places.ts';
import { channelNorm } from '../upscale/pixels.ts';

export interface CascadeControlConfig {
  /** Pixels of the hint along a side of a cell: of a picture, or of a latent as it is. */
  readonly pixelsPerCell: 32 | 1;
  readonly hintChannels: number;
  readonly channels: number;
}

/**
 * Which convolutional blocks of stage C, counted on the way down and up, take the features in their order.
 * The lite model has half as many blocks and takes the first ones only.
 */
export const controlledBlocks = [0, 4, 8, 12, 51, 55, 59, 63];

/** Where a stage C takes features: before its convolutional blocks. */
export function stageCPlaces(w: Weights): ResidualPlaces {
  const places = new Map<string, ResidualPlace>();
  for (const way of ['down_blocks', 'up_blocks']) {
    for (let level = 0; level < w.count(way); level++) {
      for (let i = 0; i < w.count(`${way}.${level}`); i++) {
        const site = `${way}.${level}.${i}`;
        if (!w.has(`${site}.depthwise`)) continue;
        const [channels] = w.shape(`${site}.depthwise.weight`);
        const from = ['input', -places.size - 1] as const;
        places.set(site, { channels, halvings: 0, from, to: { input: 'x' } });
      }
    }
  }
  return places;
}

/** The layout of a control network under `w`, or undefined. */
export function detectCascadeControl(w: Weights): CascadeControlConfig | undefined {
  const stem = w.has('backbone.0.0.weight') ? 'backbone.0.0' : 'backbone.0';
  const isLatent = w.has('backbone.10.blocks.0.weight');
  if ((stem === 'backbone.0' && !isLatent) || !w.has('projections.0.2.weight')) return undefined;
  return {
    pixelsPerCell: isLatent ? 1 : 32,
    hintChannels: w.shape(`${stem}.weight`)[1],
    channels: w.shape('projections.0.2.weight')[0],
  };
}

/** The features of a hint, by their numbers. */
export function cascadeControl(
  w: Weights,
  hint: Tensor,
  { pixelsPerCell, hintChannels }: CascadeControlConfig,
): Record<string, Tensor> {
  const backbone = w.at('backbone');
  // networks whose first layer was widened for a mask lost what was put around the picture
  const stemPad = hintChannels === 3 ? 1 : 0;
  const seen =
    pixelsPerCell === 1
      ? latentFeatures(backbone, hint)
      : efficientNet(backbone, hint, { stemPad });
  const count = w.count('projections');
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => {
      const layers = w.at(`projections.${i}`);
      return [i, conv2d(layers.at('2'), leakyRelu(conv2d(layers.at('0'), seen), 0.2))];
    }),
  );
}

/** Wide place by place, then blocks of neighbours. */
function latentFeatures(w: Weights, hint: Tensor): Tensor {
  let h = conv2d(w.at('2'), leakyRelu(conv2d(w.at('0'), hint), 0.2));
  let i = 3;
  for (; w.has(`${i}.blocks`); i++) {
    const layers = w.at(`${i}.blocks`);
    const first = gelu(channelNorm(layers.at('0'), h, { eps: 1e-5 }));
    const inner = channelNorm(layers.at('3'), conv2d(layers.at('2'), first, { pad: 1 }), {
      eps: 1e-5,
    });
    h = add(h, conv2d(layers.at('5'), gelu(inner), { pad: 1 }));
  }
  return conv2d(w.at(String(i)), h);
}
