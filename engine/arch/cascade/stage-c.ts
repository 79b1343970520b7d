/**
 * Stage C of Stable Cascade: draws the small latent that stage B works out, from text and pictures.
 *
 * Paper: Pernias et al. 2023, "Würstchen". Source: Stability AI's StableCascade, whose key names released
 * files carry. In: x [b, c, h, w], timesteps [b] (0..1), context [b, t, width], pooled [b, width], pictures
 * [b, n, width]; out: [b, c, h, w]. Sites: levels.ts.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { linear } from '../../tensor/layers.ts';
import { concat, plainLayerNorm, unsqueeze } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import {
  type CascadeConfig,
  cascadeSizes,
  embedLatent,
  latentOf,
  throughLevels,
  timesOf,
  vectorsAsTokens,
} from './levels.ts';

export interface StageCConfig extends CascadeConfig {
  readonly contextWidth: number;
  readonly pooledWidth: number;
  readonly pictureWidth: number;
}

const patch = 1;

/** The sizes of a stage C under `w`, or undefined. */
export function detectStageC(w: Weights): StageCConfig | undefined {
  if (!w.has('clf.1.weight') || !w.has('clip_txt_mapper.weight')) return undefined;
  return {
    ...cascadeSizes(w, patch),
    contextWidth: w.shape('clip_txt_mapper.weight')[1],
    pooledWidth: w.shape('clip_txt_pooled_mapper.weight')[1],
    pictureWidth: w.shape('clip_img_mapper.weight')[1],
  };
}

export interface StageCInputs {
  readonly x: Tensor;
  readonly timesteps: Tensor;
  readonly context: Tensor;
  readonly pooled: Tensor;
  /** Embeddings of pictures to look at; zeros for none. */
  readonly pictures: Tensor;
}

/** Predicts the noise: the raw output of the network, [b, c, h, w]. */
export function stageC(w: Weights, inputs: StageCInputs, { heads }: StageCConfig): Tensor {
  const { x, timesteps, context, pooled, pictures } = inputs;
  const text = linear(w.at('clip_txt_mapper'), context); // [b, t, c]
  const clip = concat(
    [
      text,
      vectorsAsTokens(w.at('clip_txt_pooled_mapper'), unsqueeze(pooled, 1)),
      vectorsAsTokens(w.at('clip_img_mapper'), pictures),
    ],
    1,
  );
  const inner = { times: timesOf(w, timesteps), clip: plainLayerNorm(clip, { eps: 1e-6 }), heads };
  return latentOf(w, throughLevels(w, embedLatent(w, x, patch), inner), patch);
}
