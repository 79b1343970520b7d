/**
 * SRVGGNetCompact: a plain stack of convolutions, all at the picture's own size.
 *
 * Reference: xinntao/Real-ESRGAN (realesr-general, AnimeVideo). `body` alternates convolutions and
 * PReLUs; the last convolution makes scale^2 pixels, which are added to the enlarged picture.
 */
import { conv2d } from '../../tensor/layers.ts';
import { add, upsampleNearest } from '../../tensor/nn.ts';
import type { UpscaleKind } from './kind.ts';
import { numbersUnder, pixelShuffle, prelu, shuffleSizes } from './pixels.ts';

interface CompactConfig {
  readonly scale: number;
  readonly layers: readonly number[];
}

export const compact: UpscaleKind<CompactConfig> = {
  name: 'Compact',
  detect(w) {
    if (!w.has('body.0.weight') || !w.has('body.1.weight')) return undefined;
    const [, inputChannels] = w.shape('body.0.weight');
    const layers = numbersUnder(w, 'body');
    const [channels] = w.shape(`body.${layers.at(-1)}.weight`);
    const sizes = shuffleSizes(channels, inputChannels);
    return sizes && { ...sizes, inputChannels, config: { scale: sizes.scale, layers } };
  },
  build(w, picture, { scale, layers }) {
    let h = picture;
    for (const layer of layers.map((n) => w.at(`body.${n}`))) {
      h = layer.shape('weight').length === 4 ? conv2d(layer, h, { pad: 1 }) : prelu(layer, h);
    }
    return add(pixelShuffle(h, scale), upsampleNearest(picture, { scale })); // [1, c, h*s, w*s]
  },
};
