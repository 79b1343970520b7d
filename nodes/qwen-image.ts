/** Prompts with pictures for Qwen-Image-Edit. */
import { clip, defineNode, image, optional, string, vae } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import {
  encodePrompt,
  encodeScheduled,
  qwenEditTemplate,
  qwenPicture,
} from '../engine/values/clip.ts';
import { appendExtra } from '../engine/values/conditioning.ts';
import type { Image } from '../engine/values/media.ts';
import { encode } from '../engine/values/vae.ts';
import { atArea } from './picture-area.ts';
import { promptRun } from './prompt-run.ts';

const CONDITIONING = [{ type: 'CONDITIONING' }];
const base = {
  category: 'advanced/conditioning',
  module: 'comfy_extras.nodes_qwen',
  form: 'v3',
} as const;

/** Sides of the pictures that words are about, and of those that are kept as latents. */
const SEEN_SIDE = 384;
const KEPT_SIDE = 1024;

export const textEncodeQwenImageEdit = defineNode({
  ...base,
  name: 'TextEncodeQwenImageEdit',
  description: 'Encodes a prompt about a picture, which the model sees as a latent too.',
  inputs: {
    clip: clip(),
    prompt: string({ multiline: true, dynamicPrompts: true }),
    vae: optional(vae()),
    image: optional(image()),
  },
  outputs: CONDITIONING,
  async run({ clip: encoder, prompt, vae: autoencoder, image: picture }, context) {
    const run = promptRun(context);
    const seen = picture && atArea(picture, KEPT_SIDE, 1);
    const latent = seen && autoencoder ? await encode(autoencoder, seen, run) : undefined;
    const options = { pictures: seen ? [seen] : [] };
    const entries = await encodeScheduled(encoder, (hooked) =>
      encodePrompt(hooked, prompt, run, options),
    );
    if (!latent) return [entries];
    return [entries.map((entry) => appendExtra(entry, 'reference_latents', latent))];
  },
});

export const textEncodeQwenImageEditPlus = defineNode({
  ...base,
  name: 'TextEncodeQwenImageEditPlus',
  description: 'Encodes a prompt about up to three pictures, which the model sees as latents too.',
  inputs: {
    clip: clip(),
    prompt: string({ multiline: true, dynamicPrompts: true }),
    vae: optional(vae()),
    image1: optional(image()),
    image2: optional(image()),
    image3: optional(image()),
  },
  outputs: CONDITIONING,
  async run({ clip: encoder, prompt, vae: autoencoder, image1, image2, image3 }, context) {
    const run = promptRun(context);
    const given = [image1, image2, image3].flatMap((picture, i) =>
      picture ? [{ picture, number: i + 1 }] : [],
    );
    const latents: Image[] = [];
    for (const { picture } of autoencoder ? given : []) {
      latents.push(await encode(autoencoder!, atArea(picture, KEPT_SIDE, 8), run));
    }
    const before = given.map(({ number }) => `Picture ${number}: ${qwenPicture}`).join('');
    const pictures = given.map(({ picture }) => atArea(picture, SEEN_SIDE, 1));
    const options = { pictures, template: qwenEditTemplate };
    const entries = await encodeScheduled(encoder, (hooked) =>
      encodePrompt(hooked, before + prompt, run, options),
    );
    const withLatents = (entry: (typeof entries)[number]) =>
      latents.reduce((more, latent) => appendExtra(more, 'reference_latents', latent), entry);
    return [entries.map(withLatents)];
  },
});

export const qwenImageNodes: readonly NodeDefinition[] = [
  textEncodeQwenImageEdit,
  textEncodeQwenImageEditPlus,
];
