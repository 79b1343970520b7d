/** Picture files in and out. */
import { randomInt } from 'node:crypto';
import { combo, defineNode, image, socket, string } from '../engine/node.ts';
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

export const loadImage = defineNode({
  name: 'LoadImage',
  displayName: 'Load Image',
  category: 'image',
  module: 'nodes',
  form: 'v1',
  inputs: { image: combo((source) => source.inputFiles('image'), { image_upload: true }) },
  outputs: [{ type: 'IMAGE' }, { type: 'MASK' }],
  ...checked,
  run: ({ image }, context) => load(image, context),
});

export const loadImageMask = defineNode({
  name: 'LoadImageMask',
  displayName: 'Load Image (as Mask)',
  category: 'mask',
  module: 'nodes',
  form: 'v1',
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

export const loadImageOutput = defineNode({
  name: 'LoadImageOutput',
  displayName: 'Load Image (from Outputs)',
  category: 'image',
  description:
    'Loads an image from the output folder. The refresh button updates the list and picks the first image.',
  module: 'nodes',
  form: 'v1',
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
  { prompt, extra_pnginfo }: WorkflowValues,
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

export const saveImage = defineNode({
  name: 'SaveImage',
  displayName: 'Save Image',
  category: 'image',
  description: 'Saves the input images to the output folder.',
  module: 'nodes',
  form: 'v1',
  inputs: {
    images: image({ tooltip: 'The images to save.' }),
    filename_prefix: string({
      default: 'ComfyUI',
      tooltip: 'The start of the file names; may hold tokens such as %date:yyyy-MM-dd%.',
    }),
  },
  hidden: workflowInputs,
  outputs: [],
  outputNode: true,
  validate: savable('.png'),
  run: (inputs, context) => {
    const target = { prefix: inputs.filename_prefix, type: 'output', level: 4 } as const;
    return savePictures(inputs.images, target, inputs, context);
  },
});

/** Saves to the temp folder under a name of its own, fast rather than small. */
export function previewPictures(
  images: Image,
  inputs: WorkflowValues,
  context: Context,
): Promise<NodeOutput> {
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  const tag = Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('');
  const target = { prefix: `ComfyUI_temp_${tag}`, type: 'temp', level: 1 } as const;
  return savePictures(images, target, inputs, context);
}

export const previewImage = defineNode({
  name: 'PreviewImage',
  displayName: 'Preview Image',
  category: 'image',
  description: 'Shows the input images without keeping them.',
  module: 'nodes',
  form: 'v1',
  inputs: { images: image() },
  hidden: workflowInputs,
  outputs: [],
  outputNode: true,
  run: (inputs, context) => previewPictures(inputs.images, inputs, context),
});

/** Milliseconds since 1970, or more where it was asked more often than that. */
let lastAsked = 0;

export const saveImageWebsocket = defineNode({
  name: 'SaveImageWebsocket',
  displayName: 'SaveImageWebsocket',
  category: 'api/image',
  module: 'custom_nodes.websocket_image_save',
  form: 'v1',
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
  saveImageWebsocket,
];
