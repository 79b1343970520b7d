/** Models that take the style of a picture (USO) from tokens in front of their words. */
import { styleInput, styleLayers, styleProjector } from '../arch/style-projector.ts';
import { type NDArray, reshape } from '../array/nd.ts';
import { NoodleError } from '../errors.ts';
import { tokensInFront } from '../patch/style-tokens.ts';
import { openWeights } from '../tensor/cursor.ts';
import type { ClipVisionOutput } from './clip-vision.ts';
import type { Model } from './model.ts';
import { type ModelPatch, misfitPatch, requireKind } from './model-patch.ts';
import { type NetworkRun, openNetwork } from './network.ts';

/** Where Flux makes tokens of the text, and its blocks. */
const textSite = 'txt_in';
const blocks = 'double_blocks';

/**
 * The model with the tokens of all pictures in front of its text. Throws BAD_INPUT for another patch, for an
 * encoder without SigLIP's layers, and for a model of another width.
 */
export async function withStyleReference(
  model: Model,
  patch: ModelPatch,
  seen: Pick<ClipVisionOutput, 'penultimate' | 'earlier'>,
  run: NetworkRun,
): Promise<Model> {
  requireKind(patch, 'style');
  const tokens = await styleTokens(patch, seen, run);
  const [width] = model.source.tensors.get(`${textSite}.weight`)?.shape ?? [];
  const isOther = model.family.blocks?.double !== blocks;
  if (isOther || width !== tokens.shape[2]) {
    const got = isOther ? model.family.title : `one of width ${width}`;
    throw misfitPatch(patch, `a Flux of width ${tokens.shape[2]}`, got);
  }
  const front = tokensInFront(`style${model.patches.length}`, textSite, tokens);
  return { ...model, patches: [...model.patches, front] };
}

/** Tokens of all pictures, one after the other: [1, n, width]. */
async function styleTokens(
  patch: ModelPatch,
  { penultimate, earlier }: Pick<ClipVisionOutput, 'penultimate' | 'earlier'>,
  run: NetworkRun,
): Promise<NDArray> {
  const { tokens, width } = styleInput(openWeights(patch.source));
  const [mid, low] = [styleLayers.mid, styleLayers.low].map((layer) => earlier?.[layer]);
  const [rows, count, channels] = penultimate.shape;
  if (!mid || !low || count !== tokens || channels !== width) {
    throw new NoodleError('BAD_INPUT', {
      subject: 'clip_vision_output',
      expected: `the layers of a SigLIP with ${tokens} tokens of width ${width}`,
      got: `${count} tokens of width ${channels}${mid ? '' : ', not of its earlier layers'}`,
    });
  }
  const network = openNetwork(run, patch, {
    name: 'style-projector',
    build: (g) => {
      const state = (name: string) => g.input(name, 'f32', ['batch', tokens, width]);
      const states = { high: state('high'), mid: state('mid'), low: state('low') };
      return { out: styleProjector(g.weights, states) };
    },
  });
  const { out } = await network({ high: penultimate, mid, low }, { rows });
  return reshape(out, [1, out.shape[0] * out.shape[1], out.shape[2]]);
}
