/**
 * Alibaba's "Fun" ControlNets of Qwen-Image: blocks of their own on a hint latent, which start from the model's
 * tokens, and a layer behind each for every twelfth block of the model.
 *
 * Reference: aigc-apps/VideoX-Fun, whose key names files carry.
 */
import type { Weights } from '../tensor/cursor.ts';
import { linear } from '../tensor/layers.ts';
import { add, padZero, slice } from '../tensor/nn.ts';
import { type Dim, ceilDivDim, mulDim, subDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import {
  type QwenImageConfig,
  factsOf,
  qwenBlocks,
  textTokens,
  timeVector,
  tokensOf,
} from './qwen-image.ts';
import type { ControlSizes, TransformerControl } from './transformer-control.ts';

type Config = ControlSizes &
  Pick<QwenImageConfig, 'headWidth' | 'axes'> & { readonly hintChannels: number };

/** Blocks of the model from one that gets a residual to the next. */
const apart = 12;
const latentChannels = 16;
const patch = 2;
const blocks = 'control_blocks';
/** What it takes from the model, under the same names. */
const borrowed = ['img_in', 'txt_norm', 'txt_in', 'time_text_embed'];

const count = (w: Weights): number => w.count(blocks);

export const qwenFunControlNet: TransformerControl<Config> = {
  name: 'qwen-fun-controlnet',
  detect(w) {
    if (!w.has(`${blocks}.0.after_proj.weight`) || !w.has('control_img_in.weight'))
      return undefined;
    const [width, cells] = w.shape('control_img_in.weight');
    const [headWidth] = w.shape(`${blocks}.0.attn.norm_q.weight`);
    const input: (string | undefined)[] = [];
    for (let i = 0; i < count(w); i++) input[i * apart] = String(i);
    return {
      inChannels: latentChannels,
      headWidth,
      axes: [headWidth / 8, (7 * headWidth) / 16, (7 * headWidth) / 16],
      channels: width,
      hint: { kind: 'latent', format: 'Wan21', masked: false },
      hintChannels: cells / patch ** 2,
      types: 0,
      lists: { input: Array.from(input), middle: [], output: [] },
      strength: (value) => Math.sqrt(Math.max(value, 0)),
    };
  },
  borrowed: () => borrowed.map((name) => [name, name]),
  network(g, config) {
    const { weights: w } = g;
    const frame = (name: string): Tensor =>
      g.input(name, 'f32', ['batch', latentChannels, 1, 'height', 'width']);
    const x = frame('x');
    const [, contextWidth] = w.shape('txt_in.weight');
    const vec = timeVector(w.at('time_text_embed'), g.input('timesteps', 'f32', ['batch']));
    const text = textTokens(w, g.input('cross', 'f32', ['batch', 'tokens', contextWidth]));
    const hint = linear(w.at('control_img_in'), tokensOf(filledUp(frame('hint'), config)));
    const start = linear(w.at(`${blocks}.0.before_proj`), hint);
    const image = add(start, linear(w.at('img_in'), tokensOf(x))); // [b, n, c]
    const facts = factsOf({ x, text: text.shape[1] }, config, vec);
    qwenBlocks(w, { text, image, vec }, facts, blocks);
    const outputs = Array.from({ length: count(w) }, (_, i) => {
      const tokens = slice(w.ledger.sites.get(`${blocks}.${i}`)!, 1, text.shape[1]);
      return [String(i), linear(w.at(`${blocks}.${i}.after_proj`), tokens)] as const;
    });
    return Object.fromEntries(outputs);
  },
};

/** A hint with zeros for the mask and the picture that are not told, and up to whole patches. */
function filledUp(hint: Tensor, { hintChannels }: Config): Tensor {
  const [, channels, , height, width] = hint.shape;
  const none = [0, 0] as const;
  const toPatch = (size: Dim) => [0, subDim(mulDim(ceilDivDim(size, patch), patch), size)] as const;
  const more = [0, subDim(hintChannels, channels)] as const;
  return padZero(hint, [none, more, none, toPatch(height), toPatch(width)]);
}
