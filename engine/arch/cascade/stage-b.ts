/**
 * Stage B of Stable Cascade: works the small latent of stage C out to one that stage A decodes.
 *
 * Paper: Pernias et al. 2023, "Würstchen". Source: Stability AI's StableCascade, whose key names released
 * files carry. In: x [b, c, h, w] of even sides, timesteps [b] (0..1), pooled [b, width], prior [b, c', h', w']
 * (stage C's latent, of any size); out: [b, c, h, w]. Sites: levels.ts.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d } from '../../tensor/layers.ts';
import { add, constant, gelu, plainLayerNorm, resizeAligned, unsqueeze } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { plainChannelNorm } from './blocks.ts';
import {
  type CascadeConfig,
  cascadeSizes,
  embedLatent,
  latentOf,
  throughLevels,
  timesOf,
  vectorsAsTokens,
} from './levels.ts';

export interface StageBConfig extends CascadeConfig {
  readonly pooledWidth: number;
  readonly priorChannels: number;
}

/** Cells of the latent along a side that become one of the network. */
export const stageBPatch = 2;

/** The sizes of a stage B under `w`, or undefined. */
export function detectStageB(w: Weights): StageBConfig | undefined {
  if (!w.has('clf.1.weight') || !w.has('clip_mapper.weight')) return undefined;
  return {
    ...cascadeSizes(w, stageBPatch),
    pooledWidth: w.shape('clip_mapper.weight')[1],
    priorChannels: w.shape('effnet_mapper.0.weight')[1],
  };
}

export interface StageBInputs {
  readonly x: Tensor;
  readonly timesteps: Tensor;
  readonly pooled: Tensor;
  readonly prior: Tensor;
}

/** Predicts the noise: the raw output of the network, [b, c, h, w]. */
export function stageB(w: Weights, inputs: StageBInputs, { heads }: StageBConfig): Tensor {
  const { x, timesteps, pooled, prior } = inputs;
  const tokens = vectorsAsTokens(w.at('clip_mapper'), unsqueeze(pooled, 1)); // [b, 4, c]
  const own = embedLatent(w, x, stageBPatch);
  const [, , height, width] = own.shape;
  const drawn = mapped(w.at('effnet_mapper'), resizeAligned(prior, { height, width }));
  const channels = w.shape('pixels_mapper.0.weight')[1];
  const noPicture = constant(new Float32Array(channels), [1, channels, 1, 1]);
  const h = add(add(own, drawn), mapped(w.at('pixels_mapper'), noPicture));
  const clip = plainLayerNorm(tokens, { eps: 1e-6 });
  const inner = { times: timesOf(w, timesteps), clip, heads };
  return latentOf(w, throughLevels(w, h, inner), stageBPatch);
}

/** A picture [b, c', h, w] place by place as one of the first level [b, c, h, w]. */
const mapped = (w: Weights, x: Tensor): Tensor =>
  plainChannelNorm(conv2d(w.at('2'), gelu(conv2d(w.at('0'), x))));
