/** Networks beside a model that reach into it (models/model_patches). */
import {
  combo,
  float,
  image,
  inModule,
  mask,
  model,
  optional,
  socket,
  vae,
} from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import type { ClipVisionOutput } from '../engine/values/clip-vision.ts';
import type { ModelPatch } from '../engine/values/model-patch.ts';

const define = inModule('comfy_extras.nodes_model_patch', 'v1', { experimental: true });
const modelPatch = () => socket<ModelPatch>('MODEL_PATCH', undefined, ['source', 'kind']);
const outputs = [{ type: 'MODEL' }];

export const modelPatchNodes: readonly NodeDefinition[] = [
  define({
    name: 'ModelPatchLoader',
    displayName: 'ModelPatchLoader',
    category: 'advanced/loaders',
    description:
      'Opens a network that reaches into a model: DiffSynth control, USO style projector.',
    inputs: { name: combo((source) => source.modelFiles('model_patches')) },
    outputs: [{ type: 'MODEL_PATCH' }],
    async run({ name }, { services }) {
      const { loadModelPatch } = await import('../engine/values/model-patch.ts');
      return [await loadModelPatch(services.folders.modelFile('model_patches', name))];
    },
  }),
  define({
    name: 'QwenImageDiffsynthControlnet',
    displayName: 'QwenImageDiffsynthControlnet',
    category: 'advanced/loaders/qwen',
    description: 'Steers Qwen-Image by a picture.',
    inputs: {
      model: model(),
      model_patch: modelPatch(),
      vae: vae(),
      image: image(),
      strength: float({ default: 1, min: -10, max: 10, step: 0.01 }),
      mask: optional(mask()),
    },
    outputs,
    async run({ model, model_patch: net, vae, image, strength, mask }) {
      const { withBlockControl } = await import('../engine/values/with-block-control.ts');
      return [withBlockControl(model, { net, vae, image, strength, mask })];
    },
  }),
  define({
    name: 'USOStyleReference',
    displayName: 'USOStyleReference',
    category: 'advanced/model_patches/flux',
    description: 'Gives Flux the style of a picture that SigLIP saw.',
    inputs: {
      model: model(),
      model_patch: modelPatch(),
      clip_vision_output: socket<ClipVisionOutput>('CLIP_VISION_OUTPUT', undefined, []),
    },
    outputs,
    async run({ model, model_patch, clip_vision_output }, { services, signal }) {
      const { withStyleReference } = await import('../engine/values/style-reference.ts');
      return [
        await withStyleReference(model, model_patch, clip_vision_output, {
          runtime: services.runtime,
          signal,
        }),
      ];
    },
  }),
];
