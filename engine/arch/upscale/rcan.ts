/**
 * RCAN: very deep residual groups whose channels are weighted by what is in them overall.
 *
 * Paper: Zhang et al. 2018, "Image Super-Resolution Using Very Deep Residual Channel Attention
 * Networks". Models with means for the colours were trained on 0..255.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d } from '../../tensor/layers.ts';
import { add, div, mul, relu } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { UpscaleKind } from './kind.ts';
import { channelAttention, numbersUnder, pixelUnshuffle } from './pixels.ts';
import { shuffleScale, shuffleUp } from './reconstruction.ts';

interface RcanConfig {
  readonly unshuffle: number;
}

const required = [
  'tail.1.weight',
  'body.0.body.0.body.0.weight',
  'body.0.body.0.body.3.conv_du.0.weight',
];

export const rcan: UpscaleKind<RcanConfig> = {
  name: 'RCAN',
  detect(w) {
    const head = ['head.0.weight', 'head.1.weight'].find((key) => w.has(key));
    if (head === undefined || !required.every((key) => w.has(key))) return undefined;
    const [colours] = w.shape('tail.1.weight');
    const [, channels] = w.shape(head);
    const unshuffle = head === 'head.1.weight' ? Math.floor(Math.sqrt(channels / colours)) : 1;
    return {
      scale: unshuffle === 1 ? shuffleScale(w.at('tail.0')) : Math.floor(4 / unshuffle),
      inputChannels: colours,
      outputChannels: colours,
      multipleOf: unshuffle,
      config: { unshuffle },
    };
  },
  build(w, picture, { unshuffle }) {
    const centred = w.has('sub_mean');
    const x = centred ? conv2d(w.at('sub_mean'), mul(picture, 255)) : picture;
    const head = w.at(w.has('head.1') ? 'head.1' : 'head.0');
    const first = sameConv(head, pixelUnshuffle(x, unshuffle));
    const h = add(layers(w.at('body'), first, group), first);
    const pixels = sameConv(w.at('tail.1'), shuffleUp(w.at('tail.0'), h));
    return centred ? div(conv2d(w.at('add_mean'), pixels), 255) : pixels;
  },
};

const sameConv = (w: Weights, x: Tensor): Tensor =>
  conv2d(w, x, { pad: Math.floor(w.shape('weight')[2] / 2) });

/** The numbered parts under the cursor; the last is a convolution. */
function layers(w: Weights, x: Tensor, part: (w: Weights, x: Tensor) => Tensor): Tensor {
  let h = x;
  for (const n of numbersUnder(w)) {
    const layer = w.at(String(n));
    h = layer.has('body') ? part(layer, h) : sameConv(layer, h);
  }
  return h;
}

const group = (w: Weights, x: Tensor): Tensor => add(layers(w.at('body'), x, block), x);

function block(w: Weights, x: Tensor): Tensor {
  const h = sameConv(w.at('body.2'), relu(sameConv(w.at('body.0'), x)));
  const attention = w.at('body.3.conv_du');
  return add(channelAttention(h, attention.at('0'), attention.at('2')), x);
}
