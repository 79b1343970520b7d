/** Pictures saved with more than 8 bits. */
import { type Encoding, toLinearLight } from '../engine/array/light.ts';
import { NoodleError } from '../engine/errors.ts';
import { combo, dynamicCombo, image, inModule, string } from '../engine/node.ts';
import type { Image, NodeDefinition } from '../engine/node.ts';
import { encodePng } from '../engine/media/formats/png/encode.ts';
import { toDeepPixels, toPixels } from '../engine/media/to-array.ts';
import { workflowTexts } from '../engine/media/workflow-texts.ts';
import { workflowInputs } from './image-io.ts';
import { savable } from './save-prefix.ts';

/** What files say beside their pixels; nothing where it is switched off. */
type Texts = ReturnType<typeof workflowTexts> | undefined;
type Choices = Readonly<Record<string, unknown>>;

/** One picture of a batch as the bytes of a file, by the format's name. */
const ENCODERS: Readonly<
  Record<string, (images: Image, index: number, choices: Choices, text: Texts) => Promise<Buffer>>
> = {
  png: (images, index, { bit_depth: depth }, text) => {
    const pixels = depth === '16-bit' ? toDeepPixels(images, index) : toPixels(images, index);
    return encodePng(pixels, { level: 4, text });
  },
  exr: async ({ data, shape: [, ...shape] }, index, { input_color_space: encoding }, text) => {
    const { encodeExr } = await import('../engine/media/formats/exr.ts');
    const size = shape[0] * shape[1] * shape[2];
    const one = { data: data.subarray(index * size, (index + 1) * size), shape };
    // The reference takes the gamut for metadata too.
    const gamut = text && (encoding === 'HDR' ? 'Rec.2020' : 'Rec.709');
    return encodeExr(toLinearLight(one, encoding as Encoding), { text, gamut });
  },
};

/** The pictures [b, h, w, c] of a batch that may be gray without channels; throws BAD_INPUT for c = 2 and c > 4. */
function savablePictures(images: Image): Image {
  const { shape } = images;
  const full = shape.length === 3 ? [...shape, 1] : shape;
  if (full.length === 4 && [1, 3, 4].includes(full[3])) return { ...images, shape: full };
  const expected = 'pictures of 1, 3 or 4 channels';
  throw new NoodleError('BAD_INPUT', { subject: 'images', expected, got: shape });
}

const depths = <const T extends string>(...choices: readonly T[]) =>
  combo(choices, { default: choices[0], advanced: true });

export const saveImageAdvanced = inModule(
  'comfy_extras.nodes_images',
  'v3',
)({
  name: 'SaveImageAdvanced',
  displayName: 'Save Image (Advanced)',
  category: 'image',
  description: 'Saves pictures as PNG of 8 or 16 bits, or as EXR of 32-bit floats.',
  essentialsCategory: 'Basics',
  outputNode: true,
  inputs: {
    images: image({ tooltip: 'The images to save.' }),
    filename_prefix: string({
      default: 'ComfyUI',
      multiline: false,
      tooltip: 'The start of the file names; may hold tokens such as %date:yyyy-MM-dd%.',
    }),
    format: dynamicCombo([
      {
        key: 'png',
        inputs: { bit_depth: depths('8-bit', '16-bit'), input_color_space: depths('sRGB') },
      },
      {
        key: 'exr',
        inputs: {
          bit_depth: depths('32-bit float'),
          input_color_space: depths('sRGB', 'HDR', 'linear'),
        },
      },
    ]),
  },
  hidden: workflowInputs,
  outputs: [{ type: 'IMAGE', name: 'images' }],
  validate: savable('.png'),
  run: async ({ images, filename_prefix, format, prompt, extra_pnginfo }, context) => {
    const pictures = savablePictures(images);
    const [count, height, width] = pictures.shape;
    const { folders, options } = context.services;
    const to = folders.saveTarget(filename_prefix, 'output', { width, height });
    const text = options.disableMetadata ? undefined : workflowTexts(prompt, extra_pnginfo);
    const suffix = String(format.format);
    const saved = [];
    let { counter } = to;
    for (let i = 0; i < count; i++) {
      const bytes = await ENCODERS[suffix](pictures, i, format, text);
      const filename = to.filename.replaceAll('%batch_num%', String(i));
      const target = { ...to, filename, counter, tail: '' };
      const file = folders.writeNumbered(target, `.${suffix}`, bytes);
      saved.push({ filename: file.name, subfolder: to.subfolder, type: 'output' });
      counter = file.counter + 1;
      context.progress(i + 1, count);
    }
    return { result: [images], ui: { images: saved } };
  },
});

export const imageSaveNodes: readonly NodeDefinition[] = [saveImageAdvanced];
