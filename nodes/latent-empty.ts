/** Empty latents of the families whose latents are not Stable Diffusion's. */
import { zeros } from '../engine/array/nd.ts';
import { roundHalfEven } from '../engine/array/round.ts';
import { defineNode, float, int } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';

const MAX = 16384;

const batchOf = (max: number) => int({ default: 1, min: 1, max });
const batch = batchOf(4096);

/** A size or length: its default, its least value, its step and its largest value (16384). */
type Range = readonly [value: number, min: number, step: number, max?: number];

const range = ([value, min, step, max = MAX]: Range) => int({ default: value, min, max, step });

interface Row {
  readonly name: string;
  readonly module: string;
  readonly category: string;
  /** What the reference declares in its older form prints its name as the title. */
  readonly form?: 'v1';
  readonly title?: string;
  readonly description?: string;
  readonly channels: number;
  /** Pixels a side of a cell. */
  readonly space: number;
  readonly width: Range;
  readonly height: Range;
  /** Frames, in families of video, of which the first has a cell of its own and `time` share the next. */
  readonly video?: { readonly length: Range; readonly time: number };
  /** The largest batch; 4096 unless told. */
  readonly most?: number;
}

const rows: readonly Row[] = [
  {
    name: 'EmptySD3LatentImage',
    module: 'nodes_sd3',
    category: 'latent/sd3',
    channels: 16,
    space: 8,
    width: [1024, 16, 16],
    height: [1024, 16, 16],
  },
  {
    name: 'EmptyHunyuanImageLatent',
    module: 'nodes_hunyuan',
    category: 'latent',
    form: 'v1',
    channels: 64,
    space: 32,
    width: [2048, 64, 32],
    height: [2048, 64, 32],
  },
  {
    name: 'EmptyChromaRadianceLatentImage',
    module: 'nodes_chroma_radiance',
    category: 'latent/chroma_radiance',
    channels: 3,
    space: 1,
    width: [1024, 16, 16],
    height: [1024, 16, 16],
  },
  {
    name: 'EmptyHunyuanLatentVideo',
    module: 'nodes_hunyuan',
    category: 'latent/video',
    form: 'v1',
    channels: 16,
    space: 8,
    width: [848, 16, 16],
    height: [480, 16, 16],
    video: { length: [25, 1, 4], time: 4 },
  },
  {
    name: 'EmptyMochiLatentVideo',
    module: 'nodes_mochi',
    category: 'latent/video',
    channels: 12,
    space: 8,
    width: [848, 16, 16],
    height: [480, 16, 16],
    video: { length: [25, 7, 6], time: 6 },
  },
  {
    name: 'EmptyCosmosLatentVideo',
    module: 'nodes_cosmos',
    category: 'latent/video',
    channels: 16,
    space: 8,
    width: [1280, 16, 16],
    height: [704, 16, 16],
    video: { length: [121, 1, 8], time: 8 },
  },
  {
    name: 'EmptyLTXVLatentVideo',
    module: 'nodes_lt',
    category: 'latent/video/ltxv',
    channels: 128,
    space: 32,
    width: [768, 64, 32],
    height: [512, 64, 32],
    video: { length: [97, 1, 8], time: 8 },
  },
  {
    name: 'EmptyFlux2LatentImage',
    title: 'Empty Flux 2 Latent',
    module: 'nodes_flux',
    category: 'model/latent/flux',
    channels: 128,
    space: 16,
    width: [1024, 16, 16],
    height: [1024, 16, 16],
  },
  {
    name: 'EmptyHiDreamO1LatentImage',
    title: 'Empty HiDream-O1 Latent Image',
    description: 'A latent of pixels. The model was trained on pictures of about 4 megapixels.',
    module: 'nodes_hidream_o1',
    category: 'model/latent/hidream',
    channels: 3,
    space: 1,
    width: [2048, 64, 32, 4096],
    height: [2048, 64, 32, 4096],
    most: 64,
  },
  {
    name: 'EmptyHunyuanVideo15Latent',
    title: 'Empty HunyuanVideo 1.5 Latent',
    module: 'nodes_hunyuan',
    category: 'model/latent/hunyuan video',
    channels: 32,
    space: 16,
    width: [848, 16, 16],
    height: [480, 16, 16],
    video: { length: [25, 1, 4], time: 4 },
  },
  {
    name: 'EmptyARVideoLatent',
    module: 'nodes_ar_video',
    category: 'model/latent/autoregressive',
    channels: 16,
    space: 8,
    width: [832, 16, 16, 8192],
    height: [480, 16, 16, 8192],
    video: { length: [81, 1, 4, 1024], time: 4 },
    most: 64,
  },
];

function emptyLatent(row: Row): NodeDefinition {
  const { name, category, description, form, channels, space, video } = row;
  const sizes = { width: range(row.width), height: range(row.height) };
  const batch = batchOf(row.most ?? 4096);
  const shared = {
    name,
    category,
    displayName: row.title ?? (form && name),
    description,
    module: `comfy_extras.${row.module}`,
    form: form ?? ('v3' as const),
    outputs: [{ type: 'LATENT' }],
  };
  const grid = (width: number, height: number) =>
    [height, width].map((pixels) => Math.floor(pixels / space));
  if (!video) {
    return defineNode({
      ...shared,
      inputs: { ...sizes, batch_size: batch },
      run: ({ width, height, batch_size }) => [
        { samples: zeros([batch_size, channels, ...grid(width, height)]) },
      ],
    });
  }
  return defineNode({
    ...shared,
    inputs: { ...sizes, length: range(video.length), batch_size: batch },
    run: ({ width, height, length, batch_size }) => {
      const frames = Math.floor((length - 1) / video.time) + 1;
      return [{ samples: zeros([batch_size, channels, frames, ...grid(width, height)]) }];
    },
  });
}

export const cascadeEmptyLatent = defineNode({
  name: 'StableCascade_EmptyLatentImage',
  category: 'latent/stable_cascade',
  module: 'comfy_extras.nodes_stable_cascade',
  form: 'v3',
  inputs: {
    width: range([1024, 256, 8]),
    height: range([1024, 256, 8]),
    compression: int({ default: 42, min: 4, max: 128, step: 1 }),
    batch_size: batch,
  },
  outputs: [
    { type: 'LATENT', name: 'stage_c' },
    { type: 'LATENT', name: 'stage_b' },
  ],
  run: ({ width, height, compression, batch_size }) => {
    const grid = (space: number) => [height, width].map((pixels) => Math.floor(pixels / space));
    return [
      { samples: zeros([batch_size, 16, ...grid(compression)]) },
      { samples: zeros([batch_size, 4, ...grid(4)]) },
    ];
  },
});

export const emptyQwenImageLayered = defineNode({
  name: 'EmptyQwenImageLayeredLatentImage',
  displayName: 'Empty Qwen Image Layered Latent',
  category: 'model/latent/qwen',
  module: 'comfy_extras.nodes_qwen',
  form: 'v3',
  inputs: {
    width: range([640, 16, 16]),
    height: range([640, 16, 16]),
    layers: range([3, 0, 1]),
    batch_size: batch,
  },
  outputs: [{ type: 'LATENT' }],
  // the whole picture is a layer more
  run: ({ width, height, layers, batch_size }) => [
    { samples: zeros([batch_size, 16, layers + 1, Math.floor(height / 8), Math.floor(width / 8)]) },
  ],
});

export const emptyLatentAudio = defineNode({
  name: 'EmptyLatentAudio',
  displayName: 'Empty Latent Audio',
  category: 'latent/audio',
  module: 'comfy_extras.nodes_audio',
  form: 'v1',
  inputs: { seconds: float({ default: 47.6, min: 1, max: 1000, step: 0.1 }), batch_size: batch },
  outputs: [{ type: 'LATENT' }],
  run: ({ seconds, batch_size }) => {
    const length = roundHalfEven((seconds * 44100) / 2048 / 2) * 2;
    return [{ samples: zeros([batch_size, 64, length]), type: 'audio' }];
  },
});

export const emptyAceStepLatentAudio = defineNode({
  name: 'EmptyAceStepLatentAudio',
  category: 'latent/audio',
  module: 'comfy_extras.nodes_ace',
  form: 'v3',
  inputs: { seconds: float({ default: 120, min: 1, max: 1000, step: 0.1 }), batch_size: batch },
  outputs: [{ type: 'LATENT' }],
  run: ({ seconds, batch_size }) => {
    const length = Math.floor((seconds * 44100) / 512 / 8);
    return [{ samples: zeros([batch_size, 8, 16, length]), type: 'audio' }];
  },
});

export const emptyLatentHunyuan3d = defineNode({
  name: 'EmptyLatentHunyuan3Dv2',
  displayName: 'EmptyLatentHunyuan3Dv2',
  category: 'latent/3d',
  module: 'comfy_extras.nodes_hunyuan3d',
  form: 'v1',
  inputs: { resolution: int({ default: 3072, min: 1, max: 8192 }), batch_size: batch },
  outputs: [{ type: 'LATENT' }],
  run: ({ resolution, batch_size }) => [
    { samples: zeros([batch_size, 64, resolution]), type: 'hunyuan3dv2' },
  ],
});

export const latentEmptyNodes: readonly NodeDefinition[] = [
  ...rows.map(emptyLatent),
  emptyQwenImageLayered,
  emptyLatentAudio,
  emptyAceStepLatentAudio,
  emptyLatentHunyuan3d,
  cascadeEmptyLatent,
];
