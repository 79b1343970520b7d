/**
 * What Stable Cascade's stages B and C share: levels of blocks down and up again, joined by skip connections.
 * Kinds of blocks, levels and repetitions come from the keys.
 *
 * Sites: every `down_blocks.l.i` {x} and `up_blocks.l.i` {x, skip at the first of a level}; of a level that is
 * gone through again `up_blocks.l.i.again1` …; inside blocks that attend `attention` {q, k, v}.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, convTranspose, linear } from '../../tensor/layers.ts';
import { constant, mul, reshape, resizeAligned } from '../../tensor/nn.ts';
import type { SiteInputs } from '../../tensor/patch.ts';
import { sameDim } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { sinesFirst } from '../timestep-embedding.ts';
import { pixelShuffle, pixelUnshuffle } from '../upscale/pixels.ts';
import { type BlockContext, block, plainChannelNorm } from './blocks.ts';

export interface CascadeConfig {
  readonly inChannels: number;
  /** Heads of every level, from the outermost. */
  readonly heads: readonly number[];
}

/** Tokens that a vector (pooled text, a picture) becomes. */
const vectorTokens = 4;
/** Width of a head in the released sizes. */
const headWidth = 64;
/** Times are told in ten thousandths. */
const tenThousand = 10000;

/** The sizes that stages share; `patch` cells a side become one. */
export function cascadeSizes(w: Weights, patch: number): CascadeConfig {
  const levels = Array.from({ length: w.count('down_blocks') }, (_, i) => `down_blocks.${i}`);
  return {
    inChannels: w.shape('embedding.1.weight')[1] / patch ** 2,
    heads: levels.map((level) =>
      Math.max(1, Math.floor(w.shape(`${level}.0.depthwise.weight`)[0] / headWidth)),
    ),
  };
}

/** A latent x [b, c, h, w] as the first level takes it: [b, c', h/patch, w/patch]. */
export const embedLatent = (w: Weights, x: Tensor, patch: number): Tensor =>
  plainChannelNorm(conv2d(w.at('embedding.1'), pixelUnshuffle(x, patch)));

/** What the levels made of it as a latent again. */
export const latentOf = (w: Weights, h: Tensor, patch: number): Tensor =>
  pixelShuffle(conv2d(w.at('clf.1'), plainChannelNorm(h)), patch);

/** Vectors [b, n, width] as tokens [b, n*4, c]. */
export function vectorsAsTokens(w: Weights, vectors: Tensor): Tensor {
  const [batch] = vectors.shape;
  const [rows] = w.shape('weight');
  return reshape(linear(w, vectors), [batch, -1, rows / vectorTokens]);
}

/** Embeddings of the time [b], and of what else blocks are told, which is nothing: sizes and crops are 0. */
export function timesOf(w: Weights, timesteps: Tensor): BlockContext['times'] {
  const [, width] = w.shape('down_blocks.0.1.mapper.weight');
  const zero = sinesFirst(constant([0]), width);
  return {
    mapper: sinesFirst(mul(timesteps, tenThousand), width),
    mapper_sca: zero,
    mapper_crp: zero,
  };
}

type LevelContext = Omit<BlockContext, 'place'>;

/** h [b, c, h, w] through all levels. */
export function throughLevels(
  w: Weights,
  x: Tensor,
  { heads, ...inner }: Omit<LevelContext, 'heads'> & Pick<CascadeConfig, 'heads'>,
): Tensor {
  const last = heads.length - 1;
  const skips: Tensor[] = [];
  let h = x;
  for (let i = 0; i <= last; i++) {
    if (i > 0) h = halved(w.at(`down_downscalers.${i}.1`), h);
    h = level(w, `down_blocks.${i}`, h, { ...inner, heads: heads[i] });
    skips.push(h);
  }
  for (let i = 0; i <= last; i++) {
    const skip = skips.pop()!;
    const context = { ...inner, heads: heads[last - i] };
    h = level(w, `up_blocks.${i}`, h, context, i > 0 ? skip : undefined);
    if (i < last) h = doubled(w.at(`up_upscalers.${i}.1`), h);
  }
  return h;
}

/** The blocks of a level one after the other, again for every layer that the file has between. */
function level(w: Weights, name: string, x: Tensor, context: LevelContext, skip?: Tensor): Tensor {
  const between = name.replace('_blocks', '_repeat_mappers');
  const repeats = w.count(between);
  let h = x;
  for (let pass = 0; pass <= repeats; pass++) {
    if (pass > 0) h = conv2d(w.at(`${between}.${pass - 1}`), h);
    for (let i = 0; i < w.count(name); i++) {
      const weights = w.at(`${name}.${i}`);
      const place = pass > 0 ? weights.at(`again${pass}`) : weights;
      const inputs: SiteInputs = skip && i === 0 ? { x: upTo(h, skip), skip } : { x: h };
      h = place.site(inputs, ({ x, skip }) => block(weights, x, { ...context, place }, skip));
    }
  }
  return h;
}

/** Where halving rounded down, h is brought to the size of the skip connection. */
function upTo(h: Tensor, skip: Tensor): Tensor {
  const [, , height, width] = skip.shape;
  if (sameDim(h.shape[2], height) && sameDim(h.shape[3], width)) return h;
  return resizeAligned(h, { height, width });
}

/** To the next level: half the picture, or the same with other channels where the stage has one size only. */
function halved(w: Weights, x: Tensor): Tensor {
  const h = plainChannelNorm(x);
  return w.has('blocks') ? conv2d(w.at('blocks.0'), h) : conv2d(w, h, { stride: 2 });
}

/** The way back. */
function doubled(w: Weights, x: Tensor): Tensor {
  const h = plainChannelNorm(x);
  return w.has('blocks') ? conv2d(w.at('blocks.1'), h) : convTranspose(w, h, { stride: 2 });
}
