/** Picture files in and out. */
import { randomInt } from 'node:crypto';
import { boolean, combo, image, inModule, int, optional, socket, string } from '../engine/node.ts';
import type {
  ChoiceSource,
  Context,
  HiddenValues,
  Image,
  NodeDefinition,
  NodeOutput,
} from '../engine/node.ts';
import { encodePng } from '../engine/media/formats/png/encode.ts';
import { fileHash, loadImageFile } from '../engine/media/load-image.ts';
import { workflowTexts } from '../engine/media/workflow-texts.ts';
import { savable } from './save-prefix.ts';
import { toChannelMask, toImageAndMask, toPixels } from '../engine/media/to-array.ts';

const define = inModule('nodes', 'v1', { category: 'image' });

const fileName = (inputs: { readonly image?: unknown }): string => String(inputs.image);

/** What LoadImage and its relatives share: any existing file passes, and its content is the key. */
const checked = {
  validate: {
    inputs: ['image'],
    check: (inputs: Record<string, unknown>, _types: unknown, source: ChoiceSource) => {
      const name = fileName(inputs);
      const exists = source.annotatedExists?.(name) ?? source.inputFiles('any').includes(name);
      return exists || `Invalid image file: ${name}`;
    },
  },
  isChanged: (inputs: { readonly image?: unknown }, { services }: Context) =>
    fileHash(services.folders.annotatedFile(fileName(inputs))),
};

async function load(name: string, { services }: Context): Promise<unknown[]> {
  const { image, mask } = toImageAndMask(await loadImageFile(services.folders.annotatedFile(name)));
  return [image, mask];
}

export const loadImage = define({
  name: 'LoadImage',
  displayName: 'Load Image',
  inputs: { image: combo((source) => source.inputFiles('image'), { image_upload: true }) },
  outputs: [{ type: 'IMAGE' }, { type: 'MASK' }],
  ...checked,
  run: ({ image }, context) => load(image, context),
});

export const loadImageMask = define({
  name: 'LoadImageMask',
  displayName: 'Load Image (as Mask)',
  category: 'mask',
  inputs: {
    image: combo((source) => source.inputFiles('any'), { image_upload: true }),
    channel: combo(['alpha', 'red', 'green', 'blue'] as const),
  },
  outputs: [{ type: 'MASK' }],
  ...checked,
  run: async ({ image, channel }, { services }) => {
    const decoded = await loadImageFile(services.folders.annotatedFile(image), {
      firstOnly: true,
    });
    return [toChannelMask(decoded, channel)];
  },
});

export const loadImageOutput = define({
  name: 'LoadImageOutput',
  displayName: 'Load Image (from Outputs)',
  description:
    'Loads an image from the output folder. The refresh button updates the list and picks the first image.',
  experimental: true,
  inputs: {
    image: socket<string>('COMBO', {
      image_upload: true,
      image_folder: 'output',
      remote: {
        route: '/internal/files/output',
        refresh_button: true,
        control_after_refresh: 'first',
      },
    }),
  },
  outputs: [{ type: 'IMAGE' }, { type: 'MASK' }],
  ...checked,
  run: ({ image }, context) => load(image, context),
});

/** The hidden inputs of nodes that write the workflow into their files. */
export const workflowInputs = { prompt: 'PROMPT', extra_pnginfo: 'EXTRA_PNGINFO' } as const;
export type WorkflowValues = HiddenValues<typeof workflowInputs>;

/** Writes every item of a batch as a PNG with the workflow in it; what the client is shown. */
export async function savePictures(
  images: Image,
  target: { prefix: string; type: 'output' | 'temp'; level: number },
  { prompt, extra_pnginfo }: Partial<WorkflowValues>,
  { services }: Context,
): Promise<NodeOutput> {
  const [count, height, width] = images.shape;
  const to = services.folders.saveTarget(target.prefix, target.type, { width, height });
  const text = services.options.disableMetadata ? [] : workflowTexts(prompt, extra_pnginfo);
  const saved = [];
  let { counter } = to;
  for (let i = 0; i < count; i++) {
    const png = await encodePng(toPixels(images, i), { level: target.level, text });
    const filename = to.filename.replaceAll('%batch_num%', String(i));
    const file = services.folders.writeNumbered({ ...to, filename, counter }, '.png', png);
    saved.push({ filename: file.name, subfolder: to.subfolder, type: target.type });
    counter = file.counter + 1;
  }
  return { ui: { images: saved } };
}

export const saveImage = define({
  name: 'SaveImage',
  displayName: 'Save Image',
  description: 'Saves the input images to the output folder.',
  inputs: {
    images: image({ tooltip: 'The images to save.' }),
    filename_prefix: string({
      default: 'ComfyUI',
      tooltip: 'The start of the file names; may hold tokens such as %date:yyyy-MM-dd%.',
    }),
  },
  hidden: workflowInputs,
  outputs: [{ type: 'IMAGE', name: 'images' }],
  outputNode: true,
  validate: savable('.png'),
  run: async (inputs, context) => {
    const target = { prefix: inputs.filename_prefix, type: 'output', level: 4 } as const;
    const { ui } = await savePictures(inputs.images, target, inputs, context);
    return { result: [inputs.images], ui };
  },
});

/** Saves to the temp folder under a name of its own, fast rather than small. */
export function previewPictures(
  images: Image,
  inputs: Partial<WorkflowValues>,
  context: Context,
  prefix = 'ComfyUI',
): Promise<NodeOutput> {
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  const tag = Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('');
  const target = { prefix: `${prefix}_temp_${tag}`, type: 'temp', level: 1 } as const;
  return savePictures(images, target, inputs, context);
}

export const previewImage = define({
  name: 'PreviewImage',
  displayName: 'Preview Image',
  description: 'Shows the input images without keeping them.',
  inputs: { images: image() },
  hidden: workflowInputs,
  outputs: [{ type: 'IMAGE', name: 'images' }],
  outputNode: true,
  run: async (inputs, context) => {
    const { ui } = await previewPictures(inputs.images, inputs, context);
    return { result: [inputs.images], ui };
  },
});

export const imageCompare = inModule(
  'comfy_extras.nodes_image_compare',
  'v3',
)({
  name: 'ImageCompare',
  displayName: 'Compare Images',
  category: 'image',
  description: 'Shows two pictures over each other, with a slider between them.',
  essentialsCategory: 'Image Tools',
  experimental: true,
  outputNode: true,
  inputs: {
    image_a: optional(image({})),
    image_b: optional(image({})),
    compare_view: socket('IMAGECOMPARE', { socketless: true }),
  },
  hidden: workflowInputs,
  outputs: [],
  run: async ({ image_a, image_b }, context) => {
    const shown = async (picture: Image | undefined, name: string): Promise<readonly unknown[]> => {
      if (!picture || picture.shape[0] === 0) return [];
      const { ui } = await previewPictures(picture, {}, context, `comfy.compare.${name}`);
      return ui?.images ?? [];
    };
    return { ui: { a_images: await shown(image_a, 'a'), b_images: await shown(image_b, 'b') } };
  },
});

export const webcamCapture = inModule(
  'comfy_extras.nodes_webcam',
  'v1',
)({
  name: 'WebcamCapture',
  displayName: 'Webcam Capture',
  category: 'image',
  inputs: {
    // The page takes the picture, uploads it, and sends its name.
    image: socket<string>('WEBCAM', {}),
    width: int({ default: 0, min: 0, max: 16384, step: 1 }),
    height: int({ default: 0, min: 0, max: 16384, step: 1 }),
    capture_on_queue: boolean({ default: true }),
  },
  outputs: [{ type: 'IMAGE' }],
  ...checked,
  run: async ({ image }, context) => [(await load(String(image), context))[0]],
});

/** Milliseconds since 1970, or more where it was asked more often than that. */
let lastAsked = 0;

export const saveImageWebsocket = inModule(
  'custom_nodes.websocket_image_save',
  'v1',
)({
  name: 'SaveImageWebsocket',
  displayName: 'SaveImageWebsocket',
  category: 'api/image',
  inputs: { images: image() },
  outputs: [],
  outputNode: true,
  // Nothing is kept that a client could be sent again, not even by an equal node beside it.
  isChanged: () => (lastAsked = Math.max(Date.now(), lastAsked + 1)),
  run: async ({ images }, context) => {
    const count = images.shape[0];
    for (let i = 0; i < count; i++) {
      const bytes = await encodePng(toPixels(images, i), { level: 1 });
      context.progress(i, count, { format: 'image/png', bytes });
    }
    return {};
  },
});

export const imageIoNodes: readonly NodeDefinition[] = [
  saveImage,
  previewImage,
  loadImage,
  loadImageMask,
  loadImageOutput,
  imageCompare,
  webcamCapture,
  saveImageWebsocket,
];
