/** What other packs do to models: prompts by region, and parts of a LoRA. */
import { boolean, combo, conditioning, float, model, models } from 'noodle/node';
import type { NodeDefinition } from 'noodle/node';
import { inCategory } from './define.ts';

const define = inCategory('loaders');

const attentionCouple = define({
  name: 'Attention couple',
  displayName: 'Load Attention couple',
  description: 'Mixes prompts by their masks inside the model instead of beside it.',
  inputs: {
    model: model(),
    positive: conditioning(),
    negative: conditioning(),
    mode: combo(['Attention', 'Latent'] as const),
  },
  outputs: [{ type: 'MODEL' }, { type: 'CONDITIONING' }, { type: 'CONDITIONING' }],
  run: async ({ model, positive, negative, mode }) => {
    if (mode === 'Latent') return [model, positive, negative];
    const { coupleAttention } = await models();
    const coupled = coupleAttention({ model, positive, negative });
    return [coupled.model, coupled.positive, coupled.negative];
  },
});

/** Blocks of SDXL that B-LoRA (Frenkel et al. 2024) trains, in the names of both kinds of files. */
const STYLE = /unet[._]up_blocks[._]0[._]attentions[._]1(?=[._])/;
const CONTENT = /unet[._]up_blocks[._]0[._]attentions[._]0(?=[._])/;

const loadBLora = define({
  name: 'LoadBLoRA',
  displayName: 'Load B-LoRA',
  description: 'The style or the content of what a B-LoRA was trained on, or both.',
  inputs: {
    model: model(),
    lora_name: combo((source) => source.modelFiles('loras')),
    load_style: boolean({ default: true }),
    load_content: boolean({ default: false }),
    strength: float({ default: 1, min: -100, max: 100, step: 0.01 }),
  },
  outputs: [{ type: 'MODEL' }],
  run: async ({ model, lora_name, load_style, load_content, strength }, { services }) => {
    if (strength === 0 || (!load_style && !load_content)) return [model];
    const { openLora, withLora } = await models();
    const file = await openLora(services.folders.modelFile('loras', lora_name));
    // The authors' own files say `unet.` twice.
    const named = file.entries.map((entry) => ({
      ...entry,
      name: entry.name.replace('unet.unet.', 'unet.'),
    }));
    const entries = named.filter(
      ({ name }) => (load_style && STYLE.test(name)) || (load_content && CONTENT.test(name)),
    );
    if (entries.length === 0) {
      throw new RangeError(`${lora_name} is no B-LoRA: it has nothing for this part of SDXL`);
    }
    const warn = (message: string) => services.log?.('WARNING', message);
    const only = { ...file, entries, unknown: [] };
    const strengths = { model: strength, clip: 0 };
    return [withLora({ model, clip: undefined }, only, strengths, warn).model];
  },
});

export const modelPatchNodes: readonly NodeDefinition[] = [attentionCouple, loadBLora];
