/** Nodes that open model files. They read headers only; weights are mapped when a model first runs. */
import { combo, defineNode, optional } from '../engine/node.ts';
import type { ChoiceSource, NodeDefinition } from '../engine/node.ts';
import { PIXEL_SPACE, taesdNames } from '../engine/values/approximate-vae-names.ts';

import { configNames } from '../engine/values/checkpoint-config-names.ts';

/** What opens files knows every family; servers only list nodes and never load it. */
const opening = () => import('../engine/values/load-checkpoint.ts');

const device = optional(combo(['default', 'cpu'], { advanced: true }));

export const checkpointLoaderSimple = defineNode({
  name: 'CheckpointLoaderSimple',
  displayName: 'Load Checkpoint',
  category: 'loaders',
  description: 'Opens a single-file checkpoint: diffusion model, text encoders and autoencoder.',
  module: 'nodes',
  form: 'v1',
  inputs: {
    ckpt_name: combo((source) => source.modelFiles('checkpoints'), {
      tooltip: 'The checkpoint file.',
    }),
  },
  outputs: [
    { type: 'MODEL', tooltip: 'Removes noise from latents.' },
    { type: 'CLIP', tooltip: 'Encodes prompts.' },
    { type: 'VAE', tooltip: 'Turns pictures into latents and back.' },
  ],
  async run({ ckpt_name }, { services }) {
    const path = services.folders.modelFile('checkpoints', ckpt_name);
    const { loadCheckpoint } = await opening();
    const { model, clip, vae } = await loadCheckpoint(path, services.families);
    return [model, clip, vae];
  },
});

/**
 * What weights are rounded to. ComfyUI's `fast` also multiplies in 8 bits on the GPUs that can; on
 * processors it gives the numbers of the plain type.
 */
const weightTypes = {
  default: undefined,
  fp8_e4m3fn: 'F8_E4M3',
  fp8_e4m3fn_fast: 'F8_E4M3',
  fp8_e5m2: 'F8_E5M2',
} as const;

export const unetLoader = defineNode({
  name: 'UNETLoader',
  displayName: 'Load Diffusion Model',
  category: 'advanced/loaders',
  module: 'nodes',
  form: 'v1',
  inputs: {
    unet_name: combo((source) => source.modelFiles('diffusion_models')),
    weight_dtype: combo(Object.keys(weightTypes) as (keyof typeof weightTypes)[]),
  },
  outputs: [{ type: 'MODEL' }],
  async run({ unet_name, weight_dtype }, { services }) {
    const path = services.folders.modelFile('diffusion_models', unet_name);
    const { loadDiffusionModel } = await opening();
    const model = await loadDiffusionModel(path, services.families);
    const type = weightTypes[weight_dtype];
    if (!type) return [model];
    const { roundedTo } = await import('../engine/values/rounded.ts');
    return [roundedTo(model, type, model.family.besideModel)];
  },
});

export const clipLoader = defineNode({
  name: 'CLIPLoader',
  displayName: 'Load CLIP',
  category: 'advanced/loaders',
  description:
    'Opens one text encoder file: CLIP, T5 or a language model. The type says for which family.',
  module: 'nodes',
  form: 'v1',
  inputs: {
    clip_name: combo((source) => source.modelFiles('text_encoders')),
    type: combo(
      (
        'stable_diffusion stable_cascade sd3 stable_audio mochi ltxv pixart cosmos lumina2 wan ' +
        'hidream chroma ace omnigen2 qwen_image hunyuan_image ' +
        // of 0.33
        'flux2 ovis longcat_image cogvideox lens pixeldit ideogram4 boogu krea2 joyimage mage minimax'
      ).split(' '),
    ),
    device,
  },
  outputs: [{ type: 'CLIP' }],
  async run({ clip_name, type }, { services }) {
    const path = services.folders.modelFile('text_encoders', clip_name);
    const { loadTextEncoders } = await opening();
    return [await loadTextEncoders([path], type)];
  },
});

export const dualClipLoader = defineNode({
  name: 'DualCLIPLoader',
  displayName: 'DualCLIPLoader',
  category: 'advanced/loaders',
  description:
    'Opens two text encoder files, in any order: CLIP-L and CLIP-G for SDXL, CLIP-L and T5 for Flux …',
  module: 'nodes',
  form: 'v1',
  inputs: {
    clip_name1: combo((source) => source.modelFiles('text_encoders')),
    clip_name2: combo((source) => source.modelFiles('text_encoders')),
    type: combo(
      (
        'sdxl sd3 flux hunyuan_video hidream hunyuan_image ' +
        // of 0.33
        'hunyuan_video_15 kandinsky5 kandinsky5_image ltxv newbie ace'
      ).split(' '),
    ),
    device,
  },
  outputs: [{ type: 'CLIP' }],
  async run({ clip_name1, clip_name2, type }, { services }) {
    const { loadTextEncoders } = await opening();
    const open = (name: string) => services.folders.modelFile('text_encoders', name);
    return [await loadTextEncoders([open(clip_name1), open(clip_name2)], type)];
  },
});

const encoderFile = () => combo((source) => source.modelFiles('text_encoders'));

export const tripleClipLoader = defineNode({
  name: 'TripleCLIPLoader',
  category: 'advanced/loaders',
  description: 'Opens three text encoder files, in any order: CLIP-L, CLIP-G and T5 for SD3.',
  module: 'comfy_extras.nodes_sd3',
  form: 'v3',
  inputs: { clip_name1: encoderFile(), clip_name2: encoderFile(), clip_name3: encoderFile() },
  outputs: [{ type: 'CLIP' }],
  async run(names, { services }) {
    const { loadTextEncoders } = await opening();
    const open = (name: string) => services.folders.modelFile('text_encoders', name);
    return [await loadTextEncoders(Object.values(names).map(open))];
  },
});

export const quadrupleClipLoader = defineNode({
  name: 'QuadrupleCLIPLoader',
  category: 'advanced/loaders',
  description:
    'Opens four text encoder files, in any order: CLIP-L, CLIP-G, T5 and Llama 3.1 for HiDream.',
  module: 'comfy_extras.nodes_hidream',
  form: 'v3',
  inputs: {
    clip_name1: encoderFile(),
    clip_name2: encoderFile(),
    clip_name3: encoderFile(),
    clip_name4: encoderFile(),
  },
  outputs: [{ type: 'CLIP' }],
  async run(names, { services }) {
    const { loadTextEncoders } = await opening();
    const open = (name: string) => services.folders.modelFile('text_encoders', name);
    return [await loadTextEncoders(Object.values(names).map(open))];
  },
});

/** Files, the TAESD pairs that are complete, and pixel space. */
const vaeNames = (source: ChoiceSource): string[] => [
  ...source.modelFiles('vae'),
  ...taesdNames(source.modelFiles('vae_approx')),
  PIXEL_SPACE,
];

export const vaeLoader = defineNode({
  name: 'VAELoader',
  displayName: 'Load VAE',
  category: 'loaders',
  module: 'nodes',
  form: 'v1',
  inputs: { vae_name: combo(vaeNames) },
  outputs: [{ type: 'VAE' }],
  async run({ vae_name }, { services }) {
    const { folders } = services;
    const { loadApproximateVae } = await import('../engine/values/load-approximate-vae.ts');
    const { loadVae } = await opening();
    const approximate = await loadApproximateVae(vae_name, folders);
    return [approximate ?? (await loadVae(folders.modelFile('vae', vae_name)))];
  },
});

export const diffusersLoader = defineNode({
  name: 'DiffusersLoader',
  displayName: 'DiffusersLoader',
  category: 'advanced/loaders/deprecated',
  description: 'Opens a model in a folder as the diffusers library saves it.',
  module: 'nodes',
  form: 'v1',
  inputs: {
    model_path: combo((source) => source.modelDirectories?.('diffusers', 'model_index.json') ?? []),
  },
  outputs: [{ type: 'MODEL' }, { type: 'CLIP' }, { type: 'VAE' }],
  async run({ model_path }, { services }) {
    const { loadDiffusers } = await import('../engine/values/load-diffusers.ts');
    const { model, clip, vae } = await loadDiffusers(
      model_path,
      services.folders,
      services.families,
    );
    return [model, clip, vae];
  },
});

export const checkpointLoader = defineNode({
  name: 'CheckpointLoader',
  displayName: 'Load Checkpoint With Config (DEPRECATED)',
  category: 'advanced/loaders',
  description: 'Opens a checkpoint; of the configuration only clip skip and v-prediction count.',
  module: 'nodes',
  form: 'v1',
  deprecated: true,
  inputs: {
    config_name: combo((source) => configNames(source.modelFiles('configs'))),
    ckpt_name: combo((source) => source.modelFiles('checkpoints')),
  },
  outputs: [{ type: 'MODEL' }, { type: 'CLIP' }, { type: 'VAE' }],
  async run({ config_name, ckpt_name }, { services }) {
    const path = services.folders.modelFile('checkpoints', ckpt_name);
    const { loadCheckpoint } = await opening();
    const { configured, readConfig } = await import('../engine/values/checkpoint-config.ts');
    const config = await readConfig(config_name, services.folders);
    const { model, clip, vae } = configured(await loadCheckpoint(path, services.families), config);
    return [model, clip, vae];
  },
});

export const loaderNodes: readonly NodeDefinition[] = [
  checkpointLoaderSimple,
  vaeLoader,
  unetLoader,
  clipLoader,
  dualClipLoader,
  tripleClipLoader,
  quadrupleClipLoader,
  diffusersLoader,
  checkpointLoader,
];
