/**
 * Stable Cascade's networks made small: the releases' key names and kinds of blocks, one block of each kind a
 * level, narrow layers, random numbers.
 */
import { sizeOf } from '../../engine/array/nd.ts';
import { type TensorToWrite, floatTensor } from '../../engine/weights/write.ts';
import { randomFloats } from './random-weights.ts';

export type Shapes = Readonly<Record<string, readonly number[]>>;

/** Widths of what the networks are told: of CLIP-G's states and pooled output, and of pictures' embeddings. */
export interface Told {
  readonly text: number;
  readonly pictures: number;
}

const latent = { stageC: 16, stageB: 4 };
/** Width of a stage, and of a head in the releases. */
const wide = 64;
const times = 8;
/** Tokens that a vector becomes. */
const tokens = 4;

const layer = (name: string, ...shape: readonly number[]): Shapes => ({
  [`${name}.weight`]: shape,
  [`${name}.bias`]: shape.slice(0, 1),
});

const all = (...parts: readonly Shapes[]): Shapes =>
  Object.fromEntries(parts.flatMap((part) => Object.entries(part)));

/** Under a prefix. */
export const under = (prefix: string, shapes: Shapes): Shapes =>
  Object.fromEntries(Object.entries(shapes).map(([key, shape]) => [prefix + key, shape]));

/** A block that mixes places and channels, one that is told the time, and one that looks around. */
function blocks(
  prefix: string,
  width: number,
  { skip = 0, conditions, attends, fused }: BlockFacts,
): Shapes {
  const mix = `${prefix}.0.channelwise`;
  const attention = `${prefix}.2.attention.attn`;
  const part = (name: string): Shapes => layer(`${attention}.${name}`, width, width);
  return all(
    layer(`${prefix}.0.depthwise`, width, 1, 3, 3),
    layer(`${mix}.0`, 4 * width, width + skip),
    { [`${mix}.2.gamma`]: [1, 1, 1, 4 * width], [`${mix}.2.beta`]: [1, 1, 1, 4 * width] },
    layer(`${mix}.4`, width, 4 * width),
    ...['', ...conditions].map((name) => layer(`${prefix}.1.mapper${name}`, 2 * width, times)),
    ...(attends
      ? [
          part('out_proj'),
          layer(`${prefix}.2.kv_mapper.1`, width, wide),
          ...(fused
            ? [
                {
                  [`${attention}.in_proj_weight`]: [3 * width, width],
                  [`${attention}.in_proj_bias`]: [3 * width],
                },
              ]
            : ['to_q', 'to_k', 'to_v'].map(part)),
        ]
      : []),
  );
}

interface BlockFacts {
  /** Channels of a skip connection. */
  readonly skip?: number;
  /** Names of further mappers of times. */
  readonly conditions: readonly string[];
  readonly attends: boolean;
  /** q, k and v in one matrix, as the first releases have them. */
  readonly fused?: boolean;
}

/** Two levels of one size. */
export function stageC({ text, pictures }: Told, { fused = false } = {}): Shapes {
  const facts = { conditions: ['_sca', '_crp'], attends: true, fused };
  return all(
    layer('clip_txt_mapper', wide, text),
    layer('clip_txt_pooled_mapper', tokens * wide, text),
    layer('clip_img_mapper', tokens * wide, pictures),
    layer('embedding.1', wide, latent.stageC, 1, 1),
    blocks('down_blocks.0', wide, facts),
    layer('down_downscalers.1.1.blocks.0', wide, wide, 1, 1),
    blocks('down_blocks.1', wide, facts),
    blocks('up_blocks.0', wide, facts),
    layer('up_upscalers.0.1.blocks.1', wide, wide, 1, 1),
    blocks('up_blocks.1', wide, { ...facts, skip: wide }),
    layer('clf.1', latent.stageC, wide, 1, 1),
  );
}

/** Two levels, the inner one half as large, looking around, and gone through twice on the way up. */
export function stageB({ text }: Pick<Told, 'text'>): Shapes {
  const [outer, inner] = [16, wide];
  const facts = { conditions: ['_sca'], attends: false };
  const mapper = (name: string, channels: number): Shapes =>
    all(layer(`${name}.0`, 4 * outer, channels, 1, 1), layer(`${name}.2`, outer, 4 * outer, 1, 1));
  return all(
    mapper('effnet_mapper', latent.stageC),
    mapper('pixels_mapper', 3),
    layer('clip_mapper', tokens * wide, text),
    layer('embedding.1', outer, 4 * latent.stageB, 1, 1),
    blocks('down_blocks.0', outer, facts),
    layer('down_downscalers.1.1', inner, outer, 2, 2),
    blocks('down_blocks.1', inner, { ...facts, attends: true }),
    blocks('up_blocks.0', inner, { ...facts, attends: true }),
    layer('up_repeat_mappers.0.0', inner, inner, 1, 1),
    { 'up_upscalers.0.1.weight': [inner, outer, 2, 2], 'up_upscalers.0.1.bias': [outer] },
    blocks('up_blocks.1', outer, { ...facts, skip: outer }),
    layer('clf.1', 4 * latent.stageB, outer, 1, 1),
  );
}

const batchNorm = (name: string, width: number, affine = true): Shapes => ({
  ...(affine && { [`${name}.weight`]: [width], [`${name}.bias`]: [width] }),
  [`${name}.running_mean`]: [width],
  [`${name}.running_var`]: [width],
  [`${name}.num_batches_tracked`]: [],
});

/** The autoencoder of stage B's latents. */
export function stageA(): Shapes {
  const [outer, inner] = [8, 16];
  const mixed = (name: string, width: number): Shapes =>
    all(
      { [`${name}.gammas`]: [6] },
      layer(`${name}.depthwise.1`, width, 1, 3, 3),
      layer(`${name}.channelwise.0`, 4 * width, width),
      layer(`${name}.channelwise.2`, width, 4 * width),
    );
  return all(
    layer('in_block.1', outer, 12, 1, 1),
    mixed('down_blocks.0', outer),
    layer('down_blocks.1', inner, outer, 4, 4),
    mixed('down_blocks.2', inner),
    { 'down_blocks.3.0.weight': [latent.stageB, inner, 1, 1] },
    batchNorm('down_blocks.3.1', latent.stageB),
    { 'vquantizer.codebook.weight': [8, latent.stageB] },
    layer('up_blocks.0.0', inner, latent.stageB, 1, 1),
    mixed('up_blocks.1', inner),
    { 'up_blocks.2.weight': [inner, outer, 4, 4], 'up_blocks.2.bias': [outer] },
    mixed('up_blocks.3', outer),
    layer('out_block.0', 12, outer, 1, 1),
  );
}

/** Channels of EfficientNet's stages, the stem first; those in front of the last. */
const features = [4, 4, 8, 8, 8, 8, 16];
/** Channels of its features. */
const seen = 20;

/** EfficientNetV2-S with one block a stage. */
function efficientNet(channels: number): Shapes {
  const conv = (name: string, ...shape: readonly number[]): Shapes =>
    all({ [`${name}.0.weight`]: shape }, batchNorm(`${name}.1`, shape[0]));
  const stages = features.slice(1).map((width, i): Shapes => {
    const block = `${i + 1}.0.block`;
    const from = features[i];
    if (i === 0) return conv(`${block}.0`, width, from, 3, 3);
    const inner = 2 * from;
    if (i < 3) {
      return all(conv(`${block}.0`, inner, from, 3, 3), conv(`${block}.1`, width, inner, 1, 1));
    }
    return all(
      conv(`${block}.0`, inner, from, 1, 1),
      conv(`${block}.1`, inner, 1, 3, 3),
      layer(`${block}.2.fc1`, 2, inner, 1, 1),
      layer(`${block}.2.fc2`, inner, 2, 1, 1),
      conv(`${block}.3`, width, inner, 1, 1),
    );
  });
  return all(conv('0', features[0], channels, 3, 3), ...stages, conv('7', seen, 16, 1, 1));
}

/** What reads pictures as latents of stage C, and what shows these. */
export function stageCCoder(): Shapes {
  const width = 16;
  const normed = (name: number, layers: Shapes, channels: number): Shapes =>
    all(layers, batchNorm(`previewer.blocks.${name + 2}`, channels));
  const steps = [width, width / 2, width / 4, width / 4];
  const levels = steps.flatMap((channels, i): Shapes[] => {
    const at = 6 * i;
    const first = `previewer.blocks.${at}`;
    const from = i === 0 ? latent.stageC : steps[i - 1];
    const larger: Shapes = {
      [`${first}.weight`]: [from, channels, 2, 2],
      [`${first}.bias`]: [channels],
    };
    const entered = i === 0 ? layer(first, channels, from, 1, 1) : larger;
    return [
      normed(at, entered, channels),
      normed(at + 3, layer(`previewer.blocks.${at + 3}`, channels, channels, 3, 3), channels),
    ];
  });
  return all(
    under('encoder.backbone.', efficientNet(3)),
    { 'encoder.mapper.0.weight': [latent.stageC, seen, 1, 1] },
    batchNorm('encoder.mapper.1', latent.stageC, false),
    { 'encoder.mean': [3], 'encoder.std': [3] },
    ...levels,
    layer('previewer.blocks.24', 3, width / 4, 1, 1),
  );
}

/** A control network for stage C with the features of eight blocks; hints have three channels, or a mask more. */
export const control = (channels: 3 | 4): Shapes =>
  all(
    under('backbone.', efficientNet(channels)),
    ...Array.from({ length: 8 }, (_, i) => ({
      [`projections.${i}.0.weight`]: [seen, seen, 1, 1],
      [`projections.${i}.2.weight`]: [wide, seen, 1, 1],
    })),
  );

/** CLIP-G with two layers. */
export function clipText(width: number): Shapes {
  const block = (i: number): Shapes => {
    const name = `text_model.encoder.layers.${i}`;
    return all(
      ...['q_proj', 'k_proj', 'v_proj', 'out_proj'].map((part) =>
        layer(`${name}.self_attn.${part}`, width, width),
      ),
      layer(`${name}.layer_norm1`, width),
      layer(`${name}.layer_norm2`, width),
      layer(`${name}.mlp.fc1`, 4 * width, width),
      layer(`${name}.mlp.fc2`, width, 4 * width),
    );
  };
  return all(
    { 'text_model.embeddings.token_embedding.weight': [49408, width] },
    { 'text_model.embeddings.position_embedding.weight': [77, width] },
    block(0),
    block(1),
    layer('text_model.final_layer_norm', width),
  );
}

/** CLIP-L's picture half with one layer. */
export function clipVision({ pictures }: Pick<Told, 'pictures'>): Shapes {
  const width = 32;
  const block = 'vision_model.encoder.layers.0';
  return all(
    { 'vision_model.embeddings.class_embedding': [width] },
    { 'vision_model.embeddings.patch_embedding.weight': [width, 3, 8, 8] },
    { 'vision_model.embeddings.position_embedding.weight': [5, width] },
    layer('vision_model.pre_layrnorm', width), // sic
    ...['q_proj', 'k_proj', 'v_proj', 'out_proj'].map((part) =>
      layer(`${block}.self_attn.${part}`, width, width),
    ),
    layer(`${block}.layer_norm1`, width),
    layer(`${block}.layer_norm2`, width),
    layer(`${block}.mlp.fc1`, 4 * width, width),
    layer(`${block}.mlp.fc2`, width, 4 * width),
    layer('vision_model.post_layernorm', width),
    { 'visual_projection.weight': [pictures, width] },
  );
}

/** The files of both stages as they are released: each with its text encoder and autoencoder inside. */
export function checkpoints(told: Told): { readonly stageC: Shapes; readonly stageB: Shapes } {
  const text = all(under('text_encoder.clip_g.transformer.', clipText(told.text)), {
    'text_encoder.clip_g.text_projection': [told.text, told.text],
    'text_encoder.clip_g.logit_scale': [1],
  });
  return {
    stageC: all(
      under('model.diffusion_model.', stageC(told, { fused: true })),
      under('vae.', stageCCoder()),
      under('clip_l_vision.', clipVision(told)),
      text,
    ),
    stageB: all(under('model.diffusion_model.', stageB(told)), under('vae.', stageA()), text),
  };
}

/** Where the numbers of a vector lie around: norms 1, biases and shares of blocks 0, pictures in their middle. */
const middles: readonly (readonly [key: RegExp, middle: number])[] = [
  [/out_block\.0\.bias$/, 0.5],
  [/(bias|gammas|running_mean)$/, 0],
  [/./, 1],
];

/** Random numbers of the size that layers want, in half precision. */
export const tensorsOf = (shapes: Shapes): Map<string, TensorToWrite> =>
  new Map(
    Object.entries(shapes).map(([key, shape], i) => {
      const random = randomFloats(sizeOf(shape), i + 1);
      const inputs = sizeOf(shape.slice(1));
      const [, around] = middles.find(([pattern]) => pattern.test(key))!;
      const middle = shape.length === 1 ? around : 0;
      const scale = shape.length === 1 ? 0.1 : 1.5 / Math.sqrt(inputs);
      const values = random.map((v) => middle + v * scale);
      return [key, floatTensor(values, shape, 'F16')];
    }),
  );
