/** LoraSave: the difference of two models as a LoRA file. */
import { boolean, clip, combo, inModule, int, model, optional, string } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { workflowInputs } from './image-io.ts';
import { savable } from './save-prefix.ts';

const define = inModule('comfy_extras.nodes_lora_extract', 'v3', {
  category: '_for_testing',
  experimental: true,
});

export const loraSave = define({
  name: 'LoraSave',
  displayName: 'Extract and Save Lora',
  description:
    'Saves a difference of two models (ModelMergeSubtract, CLIPMergeSubtract) as a LoRA of this rank.',
  inputs: {
    filename_prefix: string({ default: 'loras/ComfyUI_extracted_lora', multiline: false }),
    rank: int({ default: 8, min: 1, max: 4096, step: 1 }),
    lora_type: combo(['standard', 'full_diff'], { multiselect: false }),
    bias_diff: boolean({ default: true }),
    model_diff: optional(model({ tooltip: 'The difference that is made to a LoRA.' })),
    text_encoder_diff: optional(clip({ tooltip: 'The difference of the text encoders.' })),
  },
  hidden: workflowInputs,
  outputs: [],
  outputNode: true,
  validate: savable('.safetensors'),
  run: async (
    { filename_prefix, rank, lora_type, bias_diff, model_diff, text_encoder_diff },
    context,
  ) => {
    if (!model_diff && !text_encoder_diff) return {};
    const { extractedLora } = await import('../engine/values/extract-lora.ts');
    const { saveTensors } = await import('../engine/values/save-model.ts');
    const differences = { model: model_diff, clip: text_encoder_diff };
    const { runtime, folders } = context.services;
    const options = { rank, kind: lora_type, biases: bias_diff };
    const tensors = extractedLora(differences, options, runtime);
    const target = folders.saveTarget(filename_prefix, 'output');
    await saveTensors(tensors, target, {}, context);
    return {};
  },
});

export const loraExtractNodes: readonly NodeDefinition[] = [loraSave];
