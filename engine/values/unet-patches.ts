/** Patches of MODEL values whose network is a UNet. */
import { type UNetConfig, detectUNet, unetBlocks } from '../arch/unet.ts';
import { NoodleError } from '../errors.ts';
import { attentionMap, attentionMapSite } from '../patch/attention-map.ts';
import { type FreeUOptions, freeuPatch } from '../patch/freeu.ts';
import { type DeepShrinkPatch, type Shrink, deepShrinkPatch } from '../patch/deep-shrink.ts';
import { type FactorOf, multiplyLayers } from '../patch/multiply-layers.ts';
import {
  type NormalizedAttentionOptions,
  normalizedAttention,
} from '../patch/normalized-attention.ts';
import type { NetworkPatch } from '../patch/patch.ts';
import { type TiledAttentionOptions, tiledAttentionPatch } from '../patch/tiled-attention.ts';
import { tokenMergingPatch } from '../patch/token-merging.ts';
import { type Weights, openWeights } from '../tensor/cursor.ts';
import { createModelSampling } from '../sampling/model-sampling.ts';
import type { Model } from './model.ts';
import type { Weighted } from './network.ts';

/** The UNet of a model; throws BAD_INPUT for other networks. */
export function unetOf(model: Model, what: string): { w: Weights; config: UNetConfig } {
  const w = openWeights(model.source);
  const config = detectUNet(w);
  if (config) return { w, config };
  const subject = `the model for ${what}`;
  throw new NoodleError('BAD_INPUT', { subject, expected: 'a UNet', got: model.family.title });
}

/** The model with a patch, which takes the place of one of the same kind at the same places. */
const patched = (model: Model, patch: NetworkPatch): Model => ({
  ...model,
  patches: [...model.patches.filter(({ identity }) => identity !== patch.identity), patch],
});

/** The model with FreeU in its decoder. Throws BAD_INPUT for other networks than UNets. */
export function withFreeU(model: Model, options: Omit<FreeUOptions, 'modelChannels'>): Model {
  const { modelChannels } = unetOf(model, 'FreeU').config;
  const patch = freeuPatch({ ...options, modelChannels });
  return { ...model, patches: [...model.patches, patch] };
}

/** The model whose self-attentions at the latent's own size merge a share of their tokens. */
export function withTokenMerging(model: Model, ratio: number): Model {
  const outer = unetBlocks(unetOf(model, 'token merging').w).filter(({ level }) => level === 0);
  const sites = outer.flatMap(({ selfAttentions }) => selfAttentions);
  return patched(model, tokenMergingPatch({ name: 'tome', ratio, sites }));
}

/** The model whose self-attentions are led away from the negative prompt. */
export function withNormalizedAttention(model: Model, options: NormalizedAttentionOptions): Model {
  unetOf(model, 'normalized attention guidance');
  return patched(model, normalizedAttention(options));
}

/** The model whose large self-attentions take their queries tile by tile. */
export function withTiledAttention(
  model: Model,
  options: Omit<TiledAttentionOptions, 'blocks'>,
): Model {
  const blocks = unetBlocks(unetOf(model, 'HyperTile').w);
  return patched(model, tiledAttentionPatch({ ...options, blocks }));
}

/** The model whose inner blocks see a smaller picture, beside what shrinks in it already. */
export function withShrink(
  model: Model,
  shrink: Omit<Shrink, 'startSigma' | 'endSigma'>,
  { start, end }: { start: number; end: number },
): Model {
  const blocks = unetBlocks(unetOf(model, 'deep shrink').w);
  const { percentToSigma } = createModelSampling(model.sampling);
  const limits = {
    startSigma: Math.fround(percentToSigma(start)),
    endSigma: Math.fround(percentToSigma(end)),
  };
  const isShrink = (patch: NetworkPatch): patch is DeepShrinkPatch => 'shrinks' in patch;
  const before = model.patches.filter(isShrink).flatMap(({ shrinks }) => shrinks);
  const patch = deepShrinkPatch([...before, { ...shrink, ...limits }], blocks);
  return { ...model, patches: [...model.patches.filter((p) => !isShrink(p)), patch] };
}

/** The network with layers multiplied; its own value otherwise. */
export function withMultiplied<N extends Weighted>(
  network: N,
  factorOf: FactorOf,
  factors: Readonly<Record<string, number>>,
): N {
  const name = `multiply${network.patches.length}`;
  const patch = multiplyLayers(name, network.source.tensors.keys(), factorOf, factors);
  return { ...network, patches: [...network.patches, patch] };
}

/** The model that keeps where its middle looks. Throws BAD_INPUT where there is no attention. */
export function withAttentionMap(model: Model): Model {
  const { w } = unetOf(model, 'self-attention guidance');
  if (w.has(attentionMapSite)) return patched(model, attentionMap);
  const subject = 'the model for self-attention guidance';
  const expected = 'an attention in the middle block';
  throw new NoodleError('BAD_INPUT', { subject, expected, got: 'none' });
}
