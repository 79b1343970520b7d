/** Prompts about pictures for Z-Image Omni. */
import { boolean, clip, defineNode, image, optional, string, vae } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { encodePrompt, encodeScheduled } from '../engine/values/clip.ts';
import { appendExtra } from '../engine/values/conditioning.ts';
import { encode } from '../engine/values/vae.ts';
import { atArea } from './picture-area.ts';
import { promptRun } from './prompt-run.ts';
import { clipVision } from './vision.ts';

/** Side of the square whose area pictures are brought to, and what their sides are multiples of. */
const SIDE = 1024;
const STEP = 8;

/** One turn of a talk in which pictures stand between the parts: before the first, between two, the prompt, its end. */
const FIRST = '<|im_start|>user\n<|vision_start|>';
const BETWEEN = '<|vision_end|><|vision_start|>';
const PROMPT = '<|vision_end|>{}<|im_end|>\n<|im_start|>assistant\n<|vision_start|>';
const END = '<|vision_end|><|im_end|>';

export const textEncodeZImageOmni = defineNode({
  name: 'TextEncodeZImageOmni',
  category: 'model/conditioning/z-image',
  description: 'Encodes a prompt about up to three pictures, which the model sees as latents too.',
  module: 'comfy_extras.nodes_zimage',
  form: 'v3',
  experimental: true,
  inputs: {
    clip: clip(),
    image_encoder: optional(clipVision({})),
    prompt: string({ multiline: true, dynamicPrompts: true }),
    auto_resize_images: boolean({ default: true, advanced: true }),
    vae: optional(vae()),
    image1: optional(image()),
    image2: optional(image()),
    image3: optional(image()),
  },
  outputs: [{ type: 'CONDITIONING' }],
  async run(inputs, context) {
    const { clip: encoder, image_encoder: eyes, prompt, auto_resize_images, vae: kept } = inputs;
    const { image1, image2, image3 } = inputs;
    const { encodePictures } = await import('../engine/values/clip-vision.ts');
    const run = promptRun(context);
    const pictures = [image1, image2, image3].flatMap((picture) => (picture ? [picture] : []));
    const told: [name: string, value: unknown][] = [];
    for (const picture of pictures) {
      if (eyes) {
        told.push(['clip_vision_outputs', await encodePictures(eyes, picture, 'center', run)]);
      }
      if (kept) {
        const sized = auto_resize_images ? atArea(picture, SIDE, STEP) : picture;
        told.push(['reference_latents', await encode(kept, sized, run)]);
      }
    }
    const encoded = (text: string, template?: string) =>
      encodeScheduled(encoder, (hooked) => encodePrompt(hooked, text, run, { template }));
    const entries = await encoded(prompt, pictures.length > 0 ? PROMPT : undefined);
    const pieces = pictures.map((_, i) => (i === 0 ? FIRST : BETWEEN));
    for (const piece of pieces.length > 0 ? [...pieces, END] : []) {
      const [{ cross }] = await encoded(piece, '{}');
      told.push(['reference_latents_text_embeds', cross]);
    }
    const withAll = (entry: (typeof entries)[number]) =>
      told.reduce((more, [name, value]) => appendExtra(more, name, value), entry);
    return [entries.map(withAll)];
  },
});

export const zImageNodes: readonly NodeDefinition[] = [textEncodeZImageOmni];
