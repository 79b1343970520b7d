/** Nodes that mix two models; ComfyUI names a weight's place in the model by the start of its key. */
import { clip, float, inModule, model } from '../engine/node.ts';
import type { Context, NodeDefinition } from '../engine/node.ts';
import type { Factors } from '../engine/values/merge.ts';
import type { Model } from '../engine/values/model.ts';

const merging = () => import('../engine/values/merge.ts');

const define = inModule('comfy_extras.nodes_model_merging', 'v1', {
  category: 'advanced/model_merging',
});

const models = { model1: model(), model2: model() };
const clips = { clip1: clip(), clip2: clip() };
const ratio = () => float({ default: 1, min: 0, max: 1, step: 0.01 });
const multiplier = () => float({ default: 1, min: -10, max: 10, step: 0.01 });

/** ratio of the first and the rest of the second; a difference; a sum. */
const mixed = (share: number): Factors => ({ first: share, second: 1 - share });
const difference = (times: number): Factors => ({ first: times, second: -times });
const added: Factors = { first: 1, second: 1 };

const warner =
  ({ services }: Context) =>
  (message: string): void =>
    services.log?.('WARNING', message);

async function mergeModels(
  [first, second]: readonly [Model, Model],
  factorsOf: (key: string) => Factors,
  context: Context,
): Promise<[Model]> {
  const { mergeNetworks } = await merging();
  return [mergeNetworks(first, second, factorsOf, warner(context))];
}

export const modelMergeSimple = define({
  name: 'ModelMergeSimple',
  displayName: 'ModelMergeSimple',
  description: 'Mixes two models: ratio is the share of the first.',
  inputs: { ...models, ratio: ratio() },
  outputs: [{ type: 'MODEL' }],
  run: ({ model1, model2, ratio }, context) =>
    mergeModels([model1, model2], () => mixed(ratio), context),
});

export const modelMergeSubtract = define({
  name: 'ModelMergeSubtract',
  displayName: 'ModelMergeSubtract',
  description: 'The difference of two models, times the multiplier.',
  inputs: { ...models, multiplier: multiplier() },
  outputs: [{ type: 'MODEL' }],
  run: ({ model1, model2, multiplier }, context) =>
    mergeModels([model1, model2], () => difference(multiplier), context),
});

export const modelMergeAdd = define({
  name: 'ModelMergeAdd',
  displayName: 'ModelMergeAdd',
  description: 'The sum of two models; one of them is usually a difference.',
  inputs: models,
  outputs: [{ type: 'MODEL' }],
  run: ({ model1, model2 }, context) => mergeModels([model1, model2], () => added, context),
});

/** A node with a ratio for each of these places of the network. */
function byPlace(as: typeof define, name: string, places: readonly string[]): NodeDefinition {
  return as({
    name,
    displayName: name,
    description: 'Mixes two models: a share of the first for every part of the network.',
    inputs: { ...models, ...Object.fromEntries(places.map((place) => [place, ratio()])) },
    outputs: [{ type: 'MODEL' }],
    async run({ model1, model2, ...shares }, context) {
      const { ratioOf } = await merging();
      const ratios = new Map(
        places.map((place) => [place, (shares as Record<string, number>)[place]]),
      );
      return mergeModels([model1, model2], (key) => mixed(ratioOf(key, ratios)), context);
    },
  });
}

export const modelMergeBlocks = byPlace(define, 'ModelMergeBlocks', ['input', 'middle', 'out']);

/** `blocks.{}.` of 3: `blocks.0.`, `blocks.1.`, `blocks.2.`. */
const numbered = (pattern: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => pattern.replace('{}', String(i)));

const unetPlaces = (
  dot: '.' | '',
  counts: { readonly input: number; readonly output: number },
): string[] => [
  'time_embed.',
  'label_emb.',
  ...numbered(`input_blocks.{}${dot}`, counts.input),
  ...numbered(`middle_block.{}${dot}`, 3),
  ...numbered(`output_blocks.{}${dot}`, counts.output),
  'out.',
];

const words = (text: string): string[] => text.split(' ');
const sd3Places = words('pos_embed. x_embedder. context_embedder. y_embedder. t_embedder.');
const cosmosPlaces = words(
  'pos_embedder. extra_pos_embedder. x_embedder. t_embedder. affline_norm.',
);
const predictPlaces = words('pos_embedder. x_embedder. t_embedder. t_embedding_norm.');

/** Places of the architectures, in the order of their inputs. */
const architectures: readonly (readonly [name: string, places: readonly string[]])[] = [
  ['ModelMergeSD1', unetPlaces('.', { input: 12, output: 12 })],
  ['ModelMergeSD2', unetPlaces('.', { input: 12, output: 12 })],
  ['ModelMergeSDXL', unetPlaces('', { input: 9, output: 9 })],
  ['ModelMergeSD3_2B', [...sd3Places, ...numbered('joint_blocks.{}.', 24), 'final_layer.']],
  [
    'ModelMergeAuraflow',
    [
      ...words('init_x_linear. positional_encoding cond_seq_linear. register_tokens t_embedder.'),
      ...numbered('double_layers.{}.', 4),
      ...numbered('single_layers.{}.', 32),
      ...words('modF. final_linear.'),
    ],
  ],
  [
    'ModelMergeFlux1',
    [
      ...words('img_in. time_in. guidance_in vector_in. txt_in.'),
      ...numbered('double_blocks.{}.', 19),
      ...numbered('single_blocks.{}.', 38),
      'final_layer.',
    ],
  ],
  ['ModelMergeSD35_Large', [...sd3Places, ...numbered('joint_blocks.{}.', 38), 'final_layer.']],
  [
    'ModelMergeMochiPreview',
    [
      ...words('pos_frequencies. t_embedder. t5_y_embedder. t5_yproj.'),
      ...numbered('blocks.{}.', 48),
      'final_layer.',
    ],
  ],
  [
    'ModelMergeLTXV',
    [
      ...words('patchify_proj. adaln_single. caption_projection.'),
      ...numbered('transformer_blocks.{}.', 28),
      ...words('scale_shift_table proj_out.'),
    ],
  ],
  ['ModelMergeCosmos7B', [...cosmosPlaces, ...numbered('blocks.block{}.', 28), 'final_layer.']],
  ['ModelMergeCosmos14B', [...cosmosPlaces, ...numbered('blocks.block{}.', 36), 'final_layer.']],
  [
    'ModelMergeWAN2_1',
    [
      ...words('patch_embedding. time_embedding. time_projection. text_embedding. img_emb.'),
      ...numbered('blocks.{}.', 40),
      'head.',
    ],
  ],
  [
    'ModelMergeCosmosPredict2_2B',
    [...predictPlaces, ...numbered('blocks.{}.', 28), 'final_layer.'],
  ],
  [
    'ModelMergeCosmosPredict2_14B',
    [...predictPlaces, ...numbered('blocks.{}.', 36), 'final_layer.'],
  ],
  [
    'ModelMergeQwenImage',
    [
      ...words('pos_embeds. img_in. txt_norm. txt_in. time_text_embed.'),
      ...numbered('transformer_blocks.{}.', 60),
      'proj_out.',
    ],
  ],
];

const specific = inModule('comfy_extras.nodes_model_merging_model_specific', 'v1', {
  category: 'advanced/model_merging/model_specific',
});

const krea2 = byPlace(
  inModule('comfy_extras.nodes_model_merging_model_specific', 'v1', {
    category: 'model/merging/model specific',
  }),
  'ModelMergeKrea2',
  [
    ...words('first. tmlp. txtmlp. tproj.'),
    ...numbered('txtfusion.layerwise_blocks.{}.', 2),
    'txtfusion.projector.',
    ...numbered('txtfusion.refiner_blocks.{}.', 2),
    ...numbered('blocks.{}.', 28),
    'last.',
  ],
);

export const clipMergeSimple = define({
  name: 'CLIPMergeSimple',
  displayName: 'CLIPMergeSimple',
  description: 'Mixes the text encoders of two models: ratio is the share of the first.',
  inputs: { ...clips, ratio: ratio() },
  outputs: [{ type: 'CLIP' }],
  run: async ({ clip1, clip2, ratio }, context) => {
    const { mergeClips } = await merging();
    return [mergeClips(clip1, clip2, mixed(ratio), warner(context))];
  },
});

export const clipMergeSubtract = define({
  name: 'CLIPMergeSubtract',
  displayName: 'CLIPMergeSubtract',
  description: 'The difference of two text encoders, times the multiplier.',
  inputs: { ...clips, multiplier: multiplier() },
  outputs: [{ type: 'CLIP' }],
  run: async ({ clip1, clip2, multiplier }, context) => {
    const { mergeClips } = await merging();
    return [mergeClips(clip1, clip2, difference(multiplier), warner(context))];
  },
});

export const clipMergeAdd = define({
  name: 'CLIPMergeAdd',
  displayName: 'CLIPMergeAdd',
  description: 'The sum of two text encoders; one of them is usually a difference.',
  inputs: clips,
  outputs: [{ type: 'CLIP' }],
  run: async ({ clip1, clip2 }, context) => {
    const { mergeClips } = await merging();
    return [mergeClips(clip1, clip2, added, warner(context))];
  },
});

export const modelMergingNodes: readonly NodeDefinition[] = [
  modelMergeSimple,
  modelMergeBlocks,
  modelMergeSubtract,
  modelMergeAdd,
  clipMergeSimple,
  clipMergeSubtract,
  clipMergeAdd,
  ...architectures.map(([name, places]) => byPlace(specific, name, places)),
  krea2,
];
