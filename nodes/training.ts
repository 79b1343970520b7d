/** What belongs to the training of LoRAs: pictures with captions as one batch, and the curve of the loss. */
import { concat } from '../engine/array/batch.ts';
import { cropImage, padImage } from '../engine/array/rectangle.ts';
import { lanczosImage } from '../engine/array/resize.ts';
import { NoodleError } from '../engine/errors.ts';
import { clip, combo, inModule, int, optional, socket, string } from '../engine/node.ts';
import type { Conditioning, Context, Image, NodeDefinition } from '../engine/node.ts';
import { encodePrompt, encodeScheduled } from '../engine/values/clip.ts';
import { captionOf, captioned, loadAll, needPictures, picturesIn } from './dataset-files.ts';
import { previewPictures, workflowInputs } from './image-io.ts';
import { promptRun } from './prompt-run.ts';

const define = inModule('comfy_extras.nodes_train', 'v1', { experimental: true });

/** How a picture of another size is brought to the one of the batch. */
const FITS: Readonly<Record<string, (x: Image, width: number, height: number) => Image>> = {
  None: () => {
    const expected = 'pictures of one size, or a resize_method';
    throw new NoodleError('BAD_INPUT', { subject: 'folder', expected, got: 'different sizes' });
  },
  Stretch: (x, width, height) => lanczosImage(x, height, width),
  Crop: (x, width, height) => {
    const cut = cropImage(x, { left: 0, top: 0, width, height });
    return padImage(cut, { left: 0, top: 0, width, height }, 0);
  },
  Pad: (x, width, height) => lanczosImage(x, height, width),
};

const folderChoice = () => combo((source) => source.inputFolders?.() ?? [], {});
const resizeMethod = () => optional(combo(Object.keys(FITS), { default: 'None' }));

/** One batch [n, h, w, 3] in the size given, or in that of the first picture. */
async function loadBatch(
  files: readonly string[],
  { method, width, height }: { method: string; width?: number; height?: number },
  context: Context,
): Promise<Image> {
  const pictures = await loadAll(files, context);
  const [, h, w] = pictures[0].shape;
  const [toHeight, toWidth] = [height ?? h, width ?? w];
  const fits = (x: Image): boolean => x.shape[1] === toHeight && x.shape[2] === toWidth;
  return concat(pictures.map((x) => (fits(x) ? x : FITS[method](x, toWidth, toHeight))));
}

export const loadImageSetFromFolder = define({
  name: 'LoadImageSetFromFolderNode',
  displayName: 'Load Image Dataset from Folder',
  category: 'loaders',
  description: 'All pictures of a folder as one batch, for training.',
  inputs: { folder: folderChoice(), resize_method: resizeMethod() },
  outputs: [{ type: 'IMAGE' }],
  run: async ({ folder, resize_method: method = 'None' }, context) => {
    const files = picturesIn(context.services.folders, folder);
    needPictures(files, folder);
    return [await loadBatch(files, { method }, context)];
  },
});

/** In pixels; -1 stands for the size of the first picture. */
const side = () => optional(int({ default: -1, min: -1, max: 10000, step: 1 }));

function sideOf(value: number | undefined, subject: string): number | undefined {
  if (value !== 0) return value === -1 ? undefined : value;
  throw new NoodleError('BAD_INPUT', { subject, expected: '-1, or at least 1', got: 0 });
}

export const loadImageTextSetFromFolder = define({
  name: 'LoadImageTextSetFromFolderNode',
  displayName: 'Load Image and Text Dataset from Folder',
  category: 'loaders',
  description:
    'All pictures of a folder and its sub-folders as one batch, and the text files beside them as conditioning.',
  inputs: {
    folder: folderChoice(),
    clip: clip({}),
    resize_method: resizeMethod(),
    width: side(),
    height: side(),
  },
  outputs: [{ type: 'IMAGE' }, { type: 'CONDITIONING' }],
  run: async ({ folder, clip, resize_method: method = 'None', ...size }, context) => {
    const { folders } = context.services;
    const files = captioned(folders, folder);
    needPictures(files, folder);
    const [width, height] = [sideOf(size.width, 'width'), sideOf(size.height, 'height')];
    const batch = await loadBatch(files, { method, width, height }, context);
    const run = promptRun(context);
    const known = new Map<string, Conditioning>();
    const texts = files.map((name) => captionOf(folders, name));
    for (const text of texts) {
      if (known.has(text)) continue;
      known.set(text, await encodeScheduled(clip, (hooked) => encodePrompt(hooked, text, run)));
    }
    return [batch, texts.flatMap((text) => known.get(text)!)];
  },
});

export const lossGraph = define({
  name: 'LossGraphNode',
  displayName: 'Plot Loss Graph',
  category: 'training',
  description: 'Draws how the loss went down.',
  inputs: {
    loss: socket<{ loss?: unknown }>('LOSS_MAP', { default: {} }, []),
    filename_prefix: string({ default: 'loss_graph' }),
  },
  hidden: workflowInputs,
  outputs: [],
  outputNode: true,
  run: async ({ loss, filename_prefix, ...workflow }, context) => {
    const values = Array.isArray(loss.loss) ? (loss.loss as unknown[]) : [];
    const isLoss = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v);
    if (values.length === 0 || !values.every(isLoss)) {
      const got = values.find((v) => !isLoss(v)) ?? 'none';
      throw new NoodleError('BAD_INPUT', { subject: 'loss', expected: 'finite numbers', got });
    }
    const { drawLosses } = await import('../engine/media/loss-graph.ts');
    return previewPictures(drawLosses(values), workflow, context, filename_prefix);
  },
});

export const trainingNodes: readonly NodeDefinition[] = [
  loadImageSetFromFolder,
  loadImageTextSetFromFolder,
  lossGraph,
];
