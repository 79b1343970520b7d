/**
 * T2I-Adapter (Mou et al. 2023): features of a hint picture that are added to a UNet's encoder. Full and
 * light adapters for SD1, full ones for SDXL. Keys of TencentARC/T2I-Adapter.
 * In: the hint [b, c, u*h, u*w] with u the unshuffle factor; features from h x w down.
 */
import type { Weights } from '../tensor/cursor.ts';
import { conv2d } from '../tensor/layers.ts';
import { add, avgPool, padZero, rearrange, relu } from '../tensor/nn.ts';
import { ceilDivDim, mulDim, subDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

export interface T2IAdapterConfig {
  readonly kind: 'full' | 'light';
  /** Channels of the hint picture: 3, or 1 for its mean. */
  readonly hintChannels: number;
  /** Pixels along a side that become channels of one position. */
  readonly unshuffle: 8 | 16;
  /** Levels (of four) that begin by halving the picture. */
  readonly halved: readonly number[];
  /** Features in the order of the UNet's input blocks, the first block first; gaps add nothing. */
  readonly input: readonly (number | undefined)[];
  /** The feature that goes to the middle. */
  readonly middle: number | undefined;
  /** Of every level's feature: channels, and how often it is halved from the latent's size. */
  readonly sizes: Readonly<
    Record<string, { readonly channels: number; readonly halvings: number }>
  >;
}

const levels = [0, 1, 2, 3];
const gap = undefined;
/** Two input blocks without, then one with a feature. */
const everyThird = levels.flatMap((level) => [gap, gap, level]);

/** The adapter's layout when `w` stands on one, else undefined. Reads names and shapes only. */
export function detectT2IAdapter(w: Weights): T2IAdapterConfig | undefined {
  if (w.has('body.0.in_conv.weight') && w.has('body.0.out_conv.weight')) {
    const hintChannels = w.shape('body.0.in_conv.weight')[1] / 8 ** 2;
    return {
      kind: 'light',
      hintChannels,
      unshuffle: 8,
      halved: [1, 2, 3],
      input: everyThird,
      middle: undefined,
      sizes: sizesOf((level) => w.shape(`body.${level}.out_conv.weight`)[0], 0, [1, 2, 3]),
    };
  }
  if (!w.has('conv_in.weight') || !w.has('body.0.block2.weight')) return undefined;
  const channels = w.shape('conv_in.weight')[1];
  const xl = channels === 256 || channels === 768;
  const unshuffle = xl ? 16 : 8;
  const halved = xl ? [2] : [1, 2, 3];
  return {
    kind: 'full',
    hintChannels: channels / unshuffle ** 2,
    unshuffle,
    halved,
    sizes: sizesOf(
      (level) => w.shape(`body.${2 * level + 1}.block2.weight`)[0],
      Math.log2(unshuffle / 8),
      halved,
    ),
    input: xl ? [gap, gap, gap, 0, gap, 1, gap, gap, 2] : everyThird,
    middle: xl ? 3 : undefined,
  };
}

/** Sizes of the four features, of which the first is halved `first` times. */
const sizesOf = (
  channels: (level: number) => number,
  first: number,
  halved: readonly number[],
): T2IAdapterConfig['sizes'] =>
  Object.fromEntries(
    levels.map((level) => {
      const halvings = first + halved.filter((at) => at <= level).length;
      return [level, { channels: channels(level), halvings }];
    }),
  );

/** The features of the four levels, `0` the finest. */
export function t2iAdapter(
  w: Weights,
  hint: Tensor,
  config: T2IAdapterConfig,
): Record<string, Tensor> {
  const { unshuffle } = config;
  let h = rearrange(hint, 'b c (h p) (w q) -> b (c p q) h w', { p: unshuffle, q: unshuffle });
  if (config.kind === 'full') h = conv2d(w.at('conv_in'), h, { pad: 1 });
  const features: Record<string, Tensor> = {};
  for (const level of levels) {
    const halve = config.halved.includes(level);
    h = (config.kind === 'full' ? fullLevel : lightLevel)(w.at('body'), h, level, halve);
    features[level] = h;
  }
  return features;
}

function fullLevel(w: Weights, x: Tensor, level: number, halve: boolean): Tensor {
  let h = x;
  for (const j of [0, 1]) {
    const block = w.at(String(level * 2 + j));
    if (halve && j === 0) h = halved(block, h);
    const pad = block.shape('block2.weight')[2] >> 1;
    if (block.has('in_conv')) h = conv2d(block.at('in_conv'), h, { pad });
    const inner = relu(conv2d(block.at('block1'), h, { pad: 1 }));
    h = add(conv2d(block.at('block2'), inner, { pad }), h);
  }
  return h;
}

function lightLevel(w: Weights, x: Tensor, level: number, halve: boolean): Tensor {
  const part = w.at(String(level));
  let h = conv2d(part.at('in_conv'), halve ? halved(part, x) : x);
  for (let i = 0; i < part.count('body'); i++) {
    const block = part.at(`body.${i}`);
    const inner = relu(conv2d(block.at('block1'), h, { pad: 1 }));
    h = add(conv2d(block.at('block2'), inner, { pad: 1 }), h);
  }
  return conv2d(part.at('out_conv'), h);
}

/**
 * Half the size: a convolution where the file has one, else means of 2 x 2. Odd sizes round up, with
 * zeros before the first row and column that count.
 */
function halved(w: Weights, x: Tensor): Tensor {
  if (w.has('down_opt.op.weight')) return conv2d(w.at('down_opt.op'), x, { stride: 2, pad: 1 });
  const before = x.shape.slice(2).map((n) => subDim(mulDim(ceilDivDim(n, 2), 2), n));
  const padded = padZero(x, [
    [before[0], 0],
    [before[1], 0],
  ]);
  return avgPool(padded, { kernel: 2 });
}
