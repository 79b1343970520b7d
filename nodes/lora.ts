/** LoRA files on models and text encoders. */
import { clip, combo, float, inModule, model, nullable } from '../engine/node.ts';
import type { Context, NodeDefinition } from '../engine/node.ts';
import type { LoraFile } from '../engine/values/lora.ts';

const defineNode = inModule('nodes', 'v1', { category: 'loaders' });

const strength = (tooltip?: string) =>
  float({ default: 1, min: -100, max: 100, step: 0.01, ...(tooltip ? { tooltip } : {}) });

interface Opened {
  readonly path: string;
  readonly time: number;
  readonly file: LoraFile;
}

/** The file, which the node keeps while it stays in prompts: another strength needs no second reading. */
async function open(name: string, { services, state }: Context): Promise<LoraFile> {
  const [{ openLora }, { stat }] = await Promise.all([
    import('../engine/values/lora.ts'),
    import('node:fs/promises'),
  ]);
  const path = services.folders.modelFile('loras', name);
  const time = (await stat(path)).mtimeMs;
  const known = state.get('lora') as Opened | undefined;
  if (known?.path === path && known.time === time) return known.file;
  const file = await openLora(path);
  state.set('lora', { path, time, file } satisfies Opened);
  return file;
}

export const loraLoader = defineNode({
  name: 'LoraLoader',
  displayName: 'Load LoRA',
  description:
    'Changes a diffusion model and its text encoders by a LoRA, LyCORIS or DoRA file. Several loaders ' +
    'in a row add up.',
  inputs: {
    model: nullable(model({ tooltip: 'The diffusion model the LoRA is put on.' })),
    clip: nullable(clip({ tooltip: 'The text encoders the LoRA is put on.' })),
    lora_name: combo((source) => source.modelFiles('loras'), { tooltip: 'The LoRA file.' }),
    strength_model: strength('How strongly the diffusion model is changed. May be negative.'),
    strength_clip: strength('How strongly the text encoders are changed. May be negative.'),
  },
  outputs: [
    { type: 'MODEL', tooltip: 'The changed diffusion model.' },
    { type: 'CLIP', tooltip: 'The changed text encoders.' },
  ],
  async run({ model, clip, lora_name, strength_model, strength_clip }, context) {
    if (strength_model === 0 && strength_clip === 0) return [model, clip];
    const file = await open(lora_name, context);
    const { withLora } = await import('../engine/values/lora.ts');
    const strengths = { model: strength_model, clip: strength_clip };
    const warn = (message: string) => context.services.log?.('WARNING', message);
    const changed = withLora({ model, clip }, file, strengths, warn);
    return [changed.model, changed.clip];
  },
});

export const loraLoaderModelOnly = defineNode({
  name: 'LoraLoaderModelOnly',
  displayName: 'LoraLoaderModelOnly',
  description: 'Changes a diffusion model by a LoRA file and leaves the text encoders alone.',
  inputs: {
    model: model(),
    lora_name: combo((source) => source.modelFiles('loras')),
    strength_model: strength(),
  },
  outputs: [{ type: 'MODEL' }],
  async run({ model, lora_name, strength_model }, context) {
    if (strength_model === 0) return [model];
    const file = await open(lora_name, context);
    const { withLora } = await import('../engine/values/lora.ts');
    const strengths = { model: strength_model, clip: 0 };
    const warn = (message: string) => context.services.log?.('WARNING', message);
    return [withLora({ model, clip: undefined }, file, strengths, warn).model];
  },
});

/** Low-rank changes run beside the layers here in any case: what ComfyUI 0.33 has nodes of their own for. */
const bypass = {
  module: 'comfy_extras.nodes_lora_debug',
  category: 'model/loaders',
  experimental: true,
} as const;

export const loraLoaderBypass: NodeDefinition = {
  ...loraLoader,
  ...bypass,
  name: 'LoraLoaderBypass',
  displayName: 'Load LoRA (Bypass) (For debugging)',
};

export const loraLoaderBypassModelOnly: NodeDefinition = {
  ...loraLoaderModelOnly,
  ...bypass,
  name: 'LoraLoaderBypassModelOnly',
  displayName: 'Load LoRA (Bypass, Model Only) (for debugging)',
};

export const loraNodes: readonly NodeDefinition[] = [
  loraLoader,
  loraLoaderModelOnly,
  loraLoaderBypass,
  loraLoaderBypassModelOnly,
];
