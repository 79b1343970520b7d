/** Nodes with a text for each encoder of a model, or with something to say about how prompts are cut. */
import { clip, combo, defineNode, float, int, string } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import {
  encodePrompt,
  encodeScheduled,
  requireClip,
  withTokenizing,
} from '../engine/values/clip.ts';
import { withExtra } from '../engine/values/conditioning.ts';
import { encodeParts } from '../engine/values/prompt-parts.ts';
import { promptRun } from './prompt-run.ts';

const text = () => string({ multiline: true, dynamicPrompts: true });
const CONDITIONING = [{ type: 'CONDITIONING' }];
const CLIPS = ['clip_l', 'clip_g'];

export const clipTextEncodeFlux = defineNode({
  name: 'CLIPTextEncodeFlux',
  category: 'advanced/conditioning/flux',
  description: 'Encodes a text for CLIP-L and one for T5, with the guidance that Flux is told.',
  module: 'comfy_extras.nodes_flux',
  form: 'v3',
  inputs: {
    clip: clip(),
    clip_l: text(),
    t5xxl: text(),
    guidance: float({ default: 3.5, min: 0, max: 100, step: 0.1 }),
  },
  outputs: CONDITIONING,
  async run({ clip: encoder, guidance, ...texts }, context) {
    const run = promptRun(context);
    const entries = await encodeScheduled(encoder, (hooked) => encodeParts(hooked, texts, run));
    return [entries.map((entry) => withExtra(entry, { guidance }))];
  },
});

export const clipTextEncodeSd3 = defineNode({
  name: 'CLIPTextEncodeSD3',
  category: 'advanced/conditioning',
  description: 'Encodes a text for each encoder of Stable Diffusion 3.',
  module: 'comfy_extras.nodes_sd3',
  form: 'v3',
  inputs: {
    clip: clip(),
    clip_l: text(),
    clip_g: text(),
    t5xxl: text(),
    empty_padding: combo(['none', 'empty_prompt'], {
      tooltip: 'What becomes of an empty text: nothing, or an empty prompt.',
    }),
  },
  outputs: CONDITIONING,
  async run({ clip: encoder, empty_padding, ...texts }, context) {
    const run = promptRun(context);
    const options = { alike: CLIPS, emptyIsNone: empty_padding === 'none' };
    return [await encodeScheduled(encoder, (hooked) => encodeParts(hooked, texts, run, options))];
  },
});

export const clipTextEncodeHiDream = defineNode({
  name: 'CLIPTextEncodeHiDream',
  category: 'advanced/conditioning',
  description: 'Encodes a text for each encoder of HiDream.',
  module: 'comfy_extras.nodes_hidream',
  form: 'v3',
  inputs: { clip: clip(), clip_l: text(), clip_g: text(), t5xxl: text(), llama: text() },
  outputs: CONDITIONING,
  async run({ clip: encoder, ...texts }, context) {
    const run = promptRun(context);
    return [await encodeScheduled(encoder, (hooked) => encodeParts(hooked, texts, run))];
  },
});

export const clipTextEncodeHunyuanDiT = defineNode({
  name: 'CLIPTextEncodeHunyuanDiT',
  displayName: 'CLIPTextEncodeHunyuanDiT',
  category: 'advanced/conditioning',
  description: "Encodes a text for HunyuanDiT's BERT and one for its mT5.",
  module: 'comfy_extras.nodes_hunyuan',
  form: 'v1',
  inputs: { clip: clip(), bert: text(), mt5xl: text() },
  outputs: CONDITIONING,
  async run({ clip: encoder, bert, mt5xl }, context) {
    const run = promptRun(context);
    const texts = { hydit_clip: bert, mt5xl };
    return [await encodeScheduled(encoder, (hooked) => encodeParts(hooked, texts, run))];
  },
});

/** What Lumina 2 is told that it is. */
const luminaRoles = {
  superior:
    'You are an assistant designed to generate superior images with the superior degree of ' +
    'image-text alignment based on textual prompts or user prompts.',
  alignment:
    'You are an assistant designed to generate high-quality images with the highest degree of ' +
    'image-text alignment based on textual prompts.',
} as const;

export const clipTextEncodeLumina2 = defineNode({
  name: 'CLIPTextEncodeLumina2',
  displayName: 'CLIP Text Encode for Lumina2',
  category: 'conditioning',
  description: 'Encodes a prompt behind one of the two system prompts of Lumina 2.',
  module: 'comfy_extras.nodes_lumina2',
  form: 'v3',
  inputs: {
    system_prompt: combo(Object.keys(luminaRoles) as (keyof typeof luminaRoles)[]),
    user_prompt: text(),
    clip: clip(),
  },
  outputs: CONDITIONING,
  async run({ clip: encoder, system_prompt, user_prompt }, context) {
    const run = promptRun(context);
    const whole = `${luminaRoles[system_prompt]} <Prompt Start> ${user_prompt}`;
    return [await encodeScheduled(encoder, (hooked) => encodePrompt(hooked, whole, run))];
  },
});

/** T5 under all its names. */
const T5S = ['t5xxl', 't5xxl_old', 'pile_t5xl', 't5base', 'mt5xl', 'umt5xxl'];

const tokens = () => int({ default: 0, min: 0, max: 10000, step: 1 });

export const t5TokenizerOptions = defineNode({
  name: 'T5TokenizerOptions',
  category: '_for_testing/conditioning',
  description: 'How much padding T5 gets: so many tokens, and up to a least length.',
  module: 'comfy_extras.nodes_cond',
  form: 'v3',
  experimental: true,
  inputs: { clip: clip(), min_padding: tokens(), min_length: tokens() },
  outputs: [{ type: 'CLIP' }],
  run: ({ clip: encoder, min_padding, min_length }) => {
    const options = { minPadding: min_padding, minLength: min_length };
    return [withTokenizing(requireClip(encoder), T5S, options)];
  },
});

export const promptPartNodes: readonly NodeDefinition[] = [
  clipTextEncodeFlux,
  clipTextEncodeSd3,
  clipTextEncodeHiDream,
  clipTextEncodeHunyuanDiT,
  clipTextEncodeLumina2,
  t5TokenizerOptions,
];
