/** Patches of a UNet: what saves time, keeps large pictures whole, or weighs its attentions. */
import type { InterpolateMethod } from '../engine/array/resize.ts';
import { boolean, clip, combo, float, inModule, int, model } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';

const shared = { category: 'model_patches/unet', outputs: [{ type: 'MODEL' }] } as const;
const extras = (file: string) => inModule(`comfy_extras.${file}`, 'v3', shared);

/** Loaded when the first patch is made: a server only lists nodes. */
const patches = () => import('../engine/values/unet-patches.ts');

const percent = (value: number) => float({ default: value, min: 0, max: 1, step: 0.001 });
const method = () =>
  combo<InterpolateMethod>(['bicubic', 'nearest-exact', 'bilinear', 'area', 'bislerp'], {
    multiselect: false,
  });

const experiment = inModule('comfy_extras.nodes_attention_multiply', 'v3', {
  category: '_for_testing/attention_experiments',
  experimental: true,
});

const factor = () => float({ default: 1, min: 0, max: 10, step: 0.01 });
const factors = () => ({ q: factor(), k: factor(), v: factor(), out: factor() });

/** What the temporal node calls the attentions. */
const sides = [
  ['attn1', 'self'],
  ['attn2', 'cross'],
] as const;

/** Layers of an attention by the ends of their names. */
const factorByEnd =
  (attention: string, layers: Readonly<Record<string, string>>) =>
  (layer: string): string | undefined =>
    Object.keys(layers).find((name) => layer.endsWith(`${attention}.${layers[name]}`));

/** q, k, v and output of one kind of attention, everywhere in the network. */
const attentionMultiply = (name: string, attention: string): NodeDefinition =>
  experiment({
    name,
    inputs: { model: model({}), ...factors() },
    outputs: shared.outputs,
    async run({ model, ...factors }) {
      const layers = { q: 'to_q', k: 'to_k', v: 'to_v', out: 'to_out.0' };
      const factorOf = factorByEnd(attention, layers);
      return [(await patches()).withMultiplied(model, factorOf, factors)];
    },
  });

export const unetPatchNodes: readonly NodeDefinition[] = [
  extras('nodes_tomesd')({
    name: 'TomePatchModel',
    description: 'Merges tokens that are alike before the largest self-attentions.',
    inputs: { model: model({}), ratio: float({ default: 0.3, min: 0, max: 1, step: 0.01 }) },
    run: async ({ model, ratio }) => [(await patches()).withTokenMerging(model, ratio)],
  }),
  extras('nodes_hypertile')({
    name: 'HyperTile',
    description: 'Takes the queries of the large self-attentions tile by tile.',
    inputs: {
      model: model({}),
      tile_size: int({ default: 256, min: 1, max: 2048 }),
      swap_size: int({ default: 2, min: 1, max: 128 }),
      max_depth: int({ default: 0, min: 0, max: 10 }),
      scale_depth: boolean({ default: false }),
    },
    async run({ model, tile_size, swap_size: swap, max_depth: maxDepth, scale_depth: scaleDepth }) {
      const tile = Math.floor(Math.max(32, tile_size) / 8);
      const { withTiledAttention } = await patches();
      return [withTiledAttention(model, { tile, swap, maxDepth, scaleDepth })];
    },
  }),
  extras('nodes_model_downscale')({
    name: 'PatchModelAddDownscale',
    displayName: 'PatchModelAddDownscale (Kohya Deep Shrink)',
    description:
      'In the early steps the inner blocks see a smaller picture: large pictures stay whole.',
    inputs: {
      model: model({}),
      block_number: int({ default: 3, min: 1, max: 32, step: 1 }),
      downscale_factor: float({ default: 2, min: 0.1, max: 9, step: 0.001 }),
      start_percent: percent(0),
      end_percent: percent(0.35),
      downscale_after_skip: boolean({ default: true }),
      downscale_method: method(),
      upscale_method: method(),
    },
    async run({ model, start_percent: start, end_percent: end, ...inputs }) {
      const shrink = {
        block: inputs.block_number,
        factor: inputs.downscale_factor,
        afterSkip: inputs.downscale_after_skip,
        down: inputs.downscale_method,
        up: inputs.upscale_method,
      };
      return [(await patches()).withShrink(model, shrink, { start, end })];
    },
  }),
  attentionMultiply('UNetSelfAttentionMultiply', 'attn1'),
  attentionMultiply('UNetCrossAttentionMultiply', 'attn2'),
  experiment({
    name: 'UNetTemporalAttentionMultiply',
    inputs: {
      model: model({}),
      self_structural: factor(),
      self_temporal: factor(),
      cross_structural: factor(),
      cross_temporal: factor(),
    },
    outputs: shared.outputs,
    async run({ model, ...factors }) {
      const factorOf = (layer: string): string | undefined => {
        const side = sides.find(([attention]) => layer.endsWith(`${attention}.to_out.0`))?.[1];
        return side && `${side}_${layer.includes('.time_stack.') ? 'temporal' : 'structural'}`;
      };
      return [(await patches()).withMultiplied(model, factorOf, factors)];
    },
  }),
  experiment({
    name: 'CLIPAttentionMultiply',
    inputs: { clip: clip({}), ...factors() },
    outputs: [{ type: 'CLIP' }],
    async run({ clip, ...factors }) {
      const { withMultiplied } = await patches();
      const { requireClip } = await import('../engine/values/clip.ts');
      const present = requireClip(clip);
      const layers = { q: 'q_proj', k: 'k_proj', v: 'v_proj', out: 'out_proj' };
      const factorOf = factorByEnd('self_attn', layers);
      const encoders = present.encoders.map((encoder) =>
        withMultiplied(encoder, factorOf, factors),
      );
      return [{ ...present, encoders }];
    },
  }),
];
