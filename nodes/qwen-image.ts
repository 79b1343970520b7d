/** Prompts with pictures for Qwen-Image-Edit. */
import { clip, defineNode, image, optional, roundHalfEven, string, vae } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { upscaleImage } from '../engine/array/resize.ts';
import {
  encodePrompt,
  encodeScheduled,
  qwenEditTemplate,
  qwenPicture,
} from '../engine/values/clip.ts';
import { appendExtra } from '../engine/values/conditioning.ts';
import type { Image } from '../engine/values/media.ts';
import { encode } from '../engine/values/vae.ts';
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

/** The picture at an area of `side` squared, its sides multiples of `step`, in three colours. */
function atArea(picture: Image, side: number, step: number): Image {
  const [, height, width] = picture.shape;
  const scale = Math.sqrt((side * side) / (width * height));
  const fit = (pixels: number): number => roundHalfEven((pixels * scale) / step) * step;
  return upscaleImage(inColours(picture), fit(width), fit(height), 'area', 'disabled');
}

/** Without what stands behind the colours. */
function inColours(picture: Image): Image {
  const channels = picture.shape[3];
  if (channels <= 3) return picture;
  const data = new Float32Array((picture.data.length / channels) * 3);
  for (let i = 0; i < data.length; i++) {
    data[i] = picture.data[Math.floor(i / 3) * channels + (i % 3)];
  }
  return { data, shape: [...picture.shape.slice(0, 3), 3] };
}

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
