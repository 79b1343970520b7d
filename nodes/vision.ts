/** What picture encoders see, and what models make of it: CLIP vision, style models, unCLIP. */
import { combo, conditioning, float, image, inModule, socket } from '../engine/node.ts';
import type { Context, InputSpec, NodeDefinition } from '../engine/node.ts';
import type { ClipVision, ClipVisionOutput } from '../engine/values/clip-vision.ts';
import { appendExtra } from '../engine/values/conditioning.ts';
import type { StyleModel } from '../engine/values/style-model.ts';
import type { SeenPicture } from '../engine/values/unclip.ts';
import { networkRun } from './prompt-run.ts';

const defineNode = inModule('nodes', 'v1', {});

/** The encoder's sockets; `options` {} prints them in V3 form. */
export const clipVision = (
  options?: Readonly<Record<string, unknown>>,
): InputSpec<ClipVision, false> => socket('CLIP_VISION', options, []);
export const clipVisionOutput = (): InputSpec<ClipVisionOutput, false> =>
  socket('CLIP_VISION_OUTPUT', undefined, []);

/** A model file of a folder, opened by its header. */
async function open(folder: string, name: string, { services }: Context) {
  const { openSource } = await import('../engine/weights/open.ts');
  return openSource(services.folders.modelFile(folder, name));
}

async function openCheckpoint(name: string, { services }: Context) {
  const { loadCheckpoint } = await import('../engine/values/load-checkpoint.ts');
  return loadCheckpoint(services.folders.modelFile('checkpoints', name), services.families);
}

export const clipVisionLoader = defineNode({
  name: 'CLIPVisionLoader',
  displayName: 'Load CLIP Vision',
  category: 'loaders',
  description: 'Opens the picture half of a CLIP (L, H or G), or SigLIP.',
  inputs: { clip_name: combo((source) => source.modelFiles('clip_vision')) },
  outputs: [{ type: 'CLIP_VISION' }],
  async run({ clip_name }, context) {
    const { requireClipVision } = await import('../engine/values/clip-vision.ts');
    return [requireClipVision(await open('clip_vision', clip_name, context))];
  },
});

export const clipVisionEncode = defineNode({
  name: 'CLIPVisionEncode',
  displayName: 'CLIP Vision Encode',
  category: 'conditioning',
  description: 'What a picture encoder sees: for unCLIP, style models and video models.',
  inputs: { clip_vision: clipVision(), image: image(), crop: combo(['center', 'none']) },
  outputs: [{ type: 'CLIP_VISION_OUTPUT' }],
  async run({ clip_vision, image: pictures, crop }, context) {
    const { encodePictures } = await import('../engine/values/clip-vision.ts');
    return [await encodePictures(clip_vision, pictures, crop, networkRun(context))];
  },
});

export const styleModelLoader = defineNode({
  name: 'StyleModelLoader',
  displayName: 'Load Style Model',
  category: 'loaders',
  description: 'Opens a T2I style adapter or Flux Redux.',
  inputs: { style_model_name: combo((source) => source.modelFiles('style_models')) },
  outputs: [{ type: 'STYLE_MODEL' }],
  async run({ style_model_name }, context) {
    const { openStyleModel } = await import('../engine/values/style-model.ts');
    return [openStyleModel(await open('style_models', style_model_name, context))];
  },
});

export const styleModelApply = defineNode({
  name: 'StyleModelApply',
  displayName: 'Apply Style Model',
  category: 'conditioning/style_model',
  description: 'Puts what a picture encoder saw behind the text of a prompt.',
  inputs: {
    conditioning: conditioning(),
    style_model: socket<StyleModel>('STYLE_MODEL', undefined, []),
    clip_vision_output: clipVisionOutput(),
    strength: float({ default: 1, min: 0, max: 10, step: 0.001 }),
    strength_type: combo(['multiply', 'attn_bias']),
  },
  outputs: [{ type: 'CONDITIONING' }],
  async run({ conditioning: entries, strength, strength_type, ...inputs }, context) {
    const { styleTokens, withStyle } = await import('../engine/values/style-model.ts');
    const { style_model, clip_vision_output } = inputs;
    const tokens = await styleTokens(style_model, clip_vision_output, networkRun(context));
    return [withStyle(entries, tokens, strength, strength_type)];
  },
});

export const unclipCheckpointLoader = defineNode({
  name: 'unCLIPCheckpointLoader',
  displayName: 'unCLIPCheckpointLoader',
  category: 'loaders',
  description: 'Opens a checkpoint that looks at pictures, with its picture encoder.',
  inputs: { ckpt_name: combo((source) => source.modelFiles('checkpoints')) },
  outputs: [{ type: 'MODEL' }, { type: 'CLIP' }, { type: 'VAE' }, { type: 'CLIP_VISION' }],
  async run({ ckpt_name }, context) {
    const { model, clip, vae, vision } = await openCheckpoint(ckpt_name, context);
    return [model, clip, vae, vision];
  },
});

export const imageOnlyCheckpointLoader = inModule(
  'comfy_extras.nodes_video_model',
  'v1',
)({
  name: 'ImageOnlyCheckpointLoader',
  displayName: 'Image Only Checkpoint Loader (img2vid model)',
  category: 'loaders/video_models',
  description: 'Opens a checkpoint that sees a picture where others read a prompt.',
  inputs: { ckpt_name: combo((source) => source.modelFiles('checkpoints')) },
  outputs: [{ type: 'MODEL' }, { type: 'CLIP_VISION' }, { type: 'VAE' }],
  async run({ ckpt_name }, context) {
    const { model, vae, vision } = await openCheckpoint(ckpt_name, context);
    return [model, vision, vae];
  },
});

export const unclipConditioning = defineNode({
  name: 'unCLIPConditioning',
  displayName: 'unCLIPConditioning',
  category: 'conditioning',
  description: 'Tells an unCLIP model (or SDXL, in place of the pooled text) of a picture.',
  inputs: {
    conditioning: conditioning(),
    clip_vision_output: clipVisionOutput(),
    strength: float({ default: 1, min: -10, max: 10, step: 0.01 }),
    noise_augmentation: float({ default: 0, min: 0, max: 1, step: 0.01 }),
  },
  outputs: [{ type: 'CONDITIONING' }],
  run({ conditioning: entries, clip_vision_output, strength, noise_augmentation }) {
    if (strength === 0) return [entries];
    const seen: SeenPicture = {
      output: clip_vision_output,
      strength,
      noiseAugmentation: noise_augmentation,
    };
    return [entries.map((entry) => appendExtra(entry, 'unclip', seen))];
  },
});

export const visionNodes: readonly NodeDefinition[] = [
  clipVisionLoader,
  clipVisionEncode,
  styleModelLoader,
  styleModelApply,
  unclipCheckpointLoader,
  imageOnlyCheckpointLoader,
  unclipConditioning,
];
