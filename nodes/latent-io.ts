/** .latent files in and out. */
import { scale } from '../engine/array/elementwise.ts';
import { fileHash } from '../engine/media/load-image.ts';
import { workflowTexts } from '../engine/media/workflow-texts.ts';
import { combo, inModule, latent, string } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { readTensor } from '../engine/weights/read.ts';
import { openSafetensors } from '../engine/weights/safetensors.ts';
import { encodeSafetensors, floatTensor } from '../engine/weights/write.ts';
import { workflowInputs } from './image-io.ts';
import { savable } from './save-prefix.ts';

/** Its presence says that the numbers are in the sampler's units. */
const FORMAT_MARK = 'latent_format_version_0';
/** Files without the mark were written before the latent format's scale was taken out. */
const OLD_SCALE = 1 / 0.18215;

const define = inModule('nodes', 'v1', { category: '_for_testing' });

export const saveLatent = define({
  name: 'SaveLatent',
  displayName: 'SaveLatent',
  inputs: { samples: latent(), filename_prefix: string({ default: 'latents/ComfyUI' }) },
  hidden: workflowInputs,
  outputs: [{ type: 'LATENT', name: 'samples' }],
  outputNode: true,
  validate: savable('.latent'),
  run: ({ samples, filename_prefix, prompt, extra_pnginfo }, { services }) => {
    const { data, shape } = samples.samples;
    const texts = services.options.disableMetadata
      ? []
      : [['prompt', ''], ...workflowTexts(prompt, extra_pnginfo)];
    const tensors = new Map([
      [FORMAT_MARK, floatTensor(new Float32Array(), [0])],
      ['latent_tensor', floatTensor(data, shape)],
    ]);
    const bytes = encodeSafetensors(tensors, Object.fromEntries(texts) as Record<string, string>);
    const target = services.folders.saveTarget(filename_prefix, 'output');
    const { name } = services.folders.writeNumbered(target, '.latent', bytes);
    const latents = [{ filename: name, subfolder: target.subfolder, type: 'output' }];
    return { result: [samples], ui: { latents } };
  },
});

export const loadLatent = define({
  name: 'LoadLatent',
  displayName: 'LoadLatent',
  inputs: { latent: combo((source) => source.inputFiles('latent')) },
  outputs: [{ type: 'LATENT' }],
  validate: {
    inputs: ['latent'],
    check: ({ latent }, _types, source) => {
      const name = String(latent);
      const exists = source.annotatedExists?.(name) ?? source.inputFiles('any').includes(name);
      return exists || `Invalid latent file: ${name}`;
    },
  },
  isChanged: ({ latent }, { services }) => fileHash(services.folders.annotatedFile(String(latent))),
  run: async ({ latent }, { services }) => {
    const file = await openSafetensors(services.folders.annotatedFile(latent));
    const samples = await readTensor(file, 'latent_tensor');
    return [{ samples: file.tensors.has(FORMAT_MARK) ? samples : scale(samples, OLD_SCALE) }];
  },
});

export const latentIoNodes: readonly NodeDefinition[] = [loadLatent, saveLatent];
