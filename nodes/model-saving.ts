/** Nodes that save models, with what was put on them, into the output folder. */
import { workflowTexts } from '../engine/media/workflow-texts.ts';
import { clip, inModule, model, string, vae } from '../engine/node.ts';
import type { Context, NodeDefinition } from '../engine/node.ts';
import { workflowInputs } from './image-io.ts';
import { savable } from './save-prefix.ts';
import { clipVision } from './vision.ts';

const saving = () => import('../engine/values/save-model.ts');

const shared = {
  category: 'advanced/model_merging',
  hidden: workflowInputs,
  outputs: [],
  outputNode: true,
  validate: savable('.safetensors'),
};
const define = inModule('comfy_extras.nodes_model_merging', 'v1', shared);

interface Workflow {
  readonly prompt?: unknown;
  readonly extra_pnginfo?: unknown;
}

/** The workflow's texts, unless the server leaves them out. */
const texts = ({ prompt, extra_pnginfo }: Workflow, { services }: Context) =>
  services.options.disableMetadata
    ? {}
    : { prompt: '', ...Object.fromEntries(workflowTexts(prompt, extra_pnginfo)) };

export const checkpointSave = define({
  name: 'CheckpointSave',
  displayName: 'Save Checkpoint',
  description: 'Saves model, text encoders and autoencoder as one file, LoRAs baked in.',
  inputs: {
    model: model(),
    clip: clip(),
    vae: vae(),
    filename_prefix: string({ default: 'checkpoints/ComfyUI' }),
  },
  run: async ({ model, clip, vae, filename_prefix, ...workflow }, context) => {
    const { checkpointTensors, modelspec, saveTensors } = await saving();
    const target = context.services.folders.saveTarget(filename_prefix, 'output');
    const metadata = { ...modelspec(model, target), ...texts(workflow, context) };
    await saveTensors(checkpointTensors(model, { clip, vae }), target, metadata, context);
    return {};
  },
});

export const imageOnlyCheckpointSave = inModule(
  'comfy_extras.nodes_video_model',
  'v1',
  shared,
)({
  name: 'ImageOnlyCheckpointSave',
  displayName: 'ImageOnlyCheckpointSave',
  description: 'Saves model, picture encoder and autoencoder as one file, LoRAs baked in.',
  inputs: {
    model: model(),
    clip_vision: clipVision(),
    vae: vae(),
    filename_prefix: string({ default: 'checkpoints/ComfyUI' }),
  },
  run: async ({ model, clip_vision, vae, filename_prefix, ...workflow }, context) => {
    const { checkpointTensors, modelspec, saveTensors } = await saving();
    const target = context.services.folders.saveTarget(filename_prefix, 'output');
    const metadata = { ...modelspec(model, target), ...texts(workflow, context) };
    const tensors = checkpointTensors(model, { vision: clip_vision, vae });
    await saveTensors(tensors, target, metadata, context);
    return {};
  },
});

export const modelSave = define({
  name: 'ModelSave',
  displayName: 'ModelSave',
  description: 'Saves a diffusion model, LoRAs baked in.',
  inputs: { model: model(), filename_prefix: string({ default: 'diffusion_models/ComfyUI' }) },
  run: async ({ model, filename_prefix, ...workflow }, context) => {
    const { checkpointTensors, modelspec, saveTensors } = await saving();
    const target = context.services.folders.saveTarget(filename_prefix, 'output');
    const metadata = { ...modelspec(model, target), ...texts(workflow, context) };
    await saveTensors(checkpointTensors(model), target, metadata, context);
    return {};
  },
});

export const clipSave = define({
  name: 'CLIPSave',
  displayName: 'CLIPSave',
  description: 'Saves each text encoder as a file of its own, LoRAs baked in.',
  inputs: { clip: clip(), filename_prefix: string({ default: 'clip/ComfyUI' }) },
  run: async ({ clip, filename_prefix, ...workflow }, context) => {
    const { encoderTensors, saveTensors } = await saving();
    const { requireClip } = await import('../engine/values/clip.ts');
    const metadata = context.services.options.disableMetadata
      ? {}
      : { format: 'pt', ...texts(workflow, context) };
    for (const encoder of requireClip(clip).encoders) {
      const prefix = `${filename_prefix}_${encoder.spec.name}`;
      const target = context.services.folders.saveTarget(prefix, 'output');
      await saveTensors(encoderTensors(encoder), target, metadata, context);
    }
    return {};
  },
});

export const vaeSave = define({
  name: 'VAESave',
  displayName: 'VAESave',
  description: 'Saves an autoencoder.',
  inputs: { vae: vae(), filename_prefix: string({ default: 'vae/ComfyUI_vae' }) },
  run: async ({ vae, filename_prefix, ...workflow }, context) => {
    const { networkTensors, saveTensors } = await saving();
    const { requireVae } = await import('../engine/values/vae.ts');
    const target = context.services.folders.saveTarget(filename_prefix, 'output');
    await saveTensors(networkTensors(requireVae(vae)), target, texts(workflow, context), context);
    return {};
  },
});

export const modelSavingNodes: readonly NodeDefinition[] = [
  checkpointSave,
  imageOnlyCheckpointSave,
  clipSave,
  vaeSave,
  modelSave,
];
