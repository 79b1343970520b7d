/** Patches of MODEL values whose network is a UNet. */
import { type UNetConfig, detectUNet, selfAttentions } from '../arch/unet.ts';
import { NoodleError } from '../errors.ts';
import { attentionMap, attentionMapSite } from '../patch/attention-map.ts';
import { type FreeUOptions, freeuPatch } from '../patch/freeu.ts';
import type { NetworkPatch } from '../patch/patch.ts';
import { tokenMergingPatch } from '../patch/token-merging.ts';
import { type Weights, openWeights } from '../tensor/cursor.ts';
import type { Model } from './model.ts';

/** The UNet of a model; throws BAD_INPUT for other networks. */
function unetOf(model: Model, what: string): { w: Weights; config: UNetConfig } {
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
  const attentions = selfAttentions(unetOf(model, 'token merging').w);
  const sites = attentions.filter(({ level }) => level === 0).map(({ site }) => site);
  return patched(model, tokenMergingPatch({ name: 'tome', ratio, sites }));
}

/** The model that keeps where its middle looks. Throws BAD_INPUT where there is no attention. */
export function withAttentionMap(model: Model): Model {
  const { w } = unetOf(model, 'self-attention guidance');
  if (w.has(attentionMapSite)) return patched(model, attentionMap);
  const subject = 'the model for self-attention guidance';
  const expected = 'an attention in the middle block';
  throw new NoodleError('BAD_INPUT', { subject, expected, got: 'none' });
}
