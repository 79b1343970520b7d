/** Lists of pictures, with captions, in folders of the input and output directories. */
import { readFileSync, readdirSync } from 'node:fs';
import { extname } from 'node:path';
import { rows } from '../engine/array/batch.ts';
import { NoodleError } from '../engine/errors.ts';
import { encodePng } from '../engine/media/formats/png/encode.ts';
import { loadImageFile } from '../engine/media/load-image.ts';
import { toImageAndMask, toPixels } from '../engine/media/to-array.ts';
import { combo, image, inModule, optional, string } from '../engine/node.ts';
import type { Context, Image, NodeDefinition } from '../engine/node.ts';
import { strip } from '../engine/python/string.ts';
import { isFile } from '../engine/store/paths.ts';
import { workflowInputs } from './image-io.ts';

const define = inModule('comfy_extras.nodes_dataset', 'v3', {
  category: 'image',
  experimental: true,
});

const PICTURES = new Set(['.png', '.jpg', '.jpeg', '.webp']);

const isPicture = (name: string): boolean => PICTURES.has(extname(name).toLowerCase());

type Folders = Context['services']['folders'];

/** Names in a folder of the input directory, sorted; each is a name for `Folders.resolve`. */
function namesIn(folders: Folders, folder: string): { name: string; isFolder: boolean }[] {
  const entries = readdirSync(folders.resolve('input', folder), { withFileTypes: true });
  return entries
    .map((entry) => ({ name: `${folder}/${entry.name}`, isFolder: entry.isDirectory() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The pictures of a folder of the input directory, sorted. */
export const picturesIn = (folders: Folders, folder: string): string[] =>
  namesIn(folders, folder)
    .filter(({ name, isFolder }) => !isFolder && isPicture(name))
    .map(({ name }) => name);

/** BAD_INPUT where a folder has no pictures. */
export function needPictures(files: readonly string[], folder: string): void {
  if (files.length > 0) return;
  const expected = 'a folder with PNG, JPEG or WebP files';
  throw new NoodleError('BAD_INPUT', { subject: 'folder', expected, got: folder });
}

/** Every picture [1, h, w, 3]; progress counts them. */
export async function loadAll(files: readonly string[], context: Context): Promise<Image[]> {
  const pictures: Image[] = [];
  for (const [i, name] of files.entries()) {
    context.progress(i, files.length);
    const path = context.services.folders.resolve('input', name);
    pictures.push(toImageAndMask(await loadImageFile(path, { firstOnly: true })).image);
  }
  return pictures;
}

const folderChoice = () => combo((source) => source.inputFolders?.() ?? []);
const IMAGES = { type: 'IMAGE', name: 'images', list: true } as const;
const TEXTS = { type: 'STRING', name: 'texts', list: true } as const;

export const loadImageDataSetFromFolder = define({
  name: 'LoadImageDataSetFromFolder',
  displayName: 'Load Image (from Folder)',
  description: 'All pictures of a folder as a list, sorted by name.',
  inputs: { folder: folderChoice() },
  outputs: [IMAGES],
  run: async ({ folder }, context) => {
    const files = picturesIn(context.services.folders, folder);
    needPictures(files, folder);
    return [await loadAll(files, context)];
  },
});

/** The pictures of a folder and of its sub-folders; `5_dogs` counts five times (kohya's layout). */
export function captioned(folders: Folders, folder: string): string[] {
  return namesIn(folders, folder).flatMap(({ name, isFolder }) => {
    if (!isFolder) return isPicture(name) ? [name] : [];
    const repeats = /^(\d+)(?:_|$)/.exec(name.slice(folder.length + 1));
    const list = picturesIn(folders, name);
    return Array.from({ length: repeats ? repeatsOf(repeats[1]) : 1 }, () => list).flat();
  });
}

const MOST_REPEATS = 10_000;

function repeatsOf(digits: string): number {
  if (Number(digits) <= MOST_REPEATS) return Number(digits);
  const expected = `at most ${MOST_REPEATS} repeats in a folder's name`;
  throw new NoodleError('BAD_INPUT', { subject: 'folder', expected, got: digits });
}

/** The text file beside a picture; nothing without one. */
export function captionOf(folders: Folders, name: string): string {
  const path = folders.resolve('input', `${name.slice(0, -extname(name).length)}.txt`);
  return isFile(path) ? strip(readFileSync(path, 'utf8')) : '';
}

export const loadImageTextDataSetFromFolder = define({
  name: 'LoadImageTextDataSetFromFolder',
  displayName: 'Load Image-Text (from Folder)',
  description: 'All pictures of a folder and its sub-folders, each with the text file beside it.',
  inputs: { folder: folderChoice() },
  outputs: [IMAGES, TEXTS],
  run: async ({ folder }, context) => {
    const { folders } = context.services;
    const files = captioned(folders, folder);
    needPictures(files, folder);
    return [await loadAll(files, context), files.map((name) => captionOf(folders, name))];
  },
});

const saving = {
  folder_name: string({ default: 'dataset' }),
  filename_prefix: string({ default: 'image', advanced: true }),
  mode: combo(['overwrite', 'increment'] as const, { default: 'overwrite' }),
};

/** Writes every picture as a PNG, and beside it its text where there is one. */
async function saveAll(
  images: readonly Image[],
  texts: readonly string[],
  [folder, prefix, mode]: readonly [folder: string, prefix: string, mode: string],
  context: Context,
): Promise<void> {
  const { folders } = context.services;
  const single = images.flatMap((batch) =>
    Array.from({ length: batch.shape[0] }, (_, i) => rows(batch, i, i + 1)),
  );
  for (const [i, picture] of single.entries()) {
    context.progress(i, single.length);
    const png = await encodePng(toPixels(picture, 0), { level: 6 });
    const target = folders.saveTarget(`${folder}/${prefix}`, 'output');
    const suffix = `${String(i).padStart(5, '0')}.png`;
    const { name } =
      mode === 'increment'
        ? folders.writeNumbered(target, suffix, png)
        : folders.writeNamed(target, `${target.filename}_${suffix}`, png);
    if (i < texts.length) folders.writeNamed(target, name.replace(/\.png$/, '.txt'), texts[i]);
  }
}

export const saveImageDataSetToFolder = define({
  name: 'SaveImageDataSetToFolder',
  displayName: 'Save Image (to Folder) (DEPRECATED)',
  description: 'Saves a list of pictures as PNG files into a folder of the output directory.',
  deprecated: true,
  outputNode: true,
  inputIsList: true,
  inputs: { images: image({}), ...saving },
  hidden: workflowInputs,
  outputs: [],
  run: async ({ images, folder_name, filename_prefix, mode }, context) => {
    await saveAll(images, [], [folder_name[0], filename_prefix[0], mode[0]], context);
    return {};
  },
});

export const saveImageTextDataSetToFolder = define({
  name: 'SaveImageTextDataSetToFolder',
  displayName: 'Save Image-Text (to Folder)',
  description: 'Saves pictures as PNG files and their texts beside them.',
  outputNode: true,
  inputIsList: true,
  inputs: { images: image({}), texts: optional(string({ forceInput: true })), ...saving },
  hidden: workflowInputs,
  outputs: [],
  run: async ({ images, texts, folder_name, filename_prefix, mode }, context) => {
    // Not passed at all where nothing is connected.
    const captions = (texts as readonly string[] | undefined) ?? [];
    await saveAll(images, captions, [folder_name[0], filename_prefix[0], mode[0]], context);
    return {};
  },
});

export const datasetFileNodes: readonly NodeDefinition[] = [
  loadImageDataSetFromFolder,
  loadImageTextDataSetFromFolder,
  saveImageDataSetToFolder,
  saveImageTextDataSetToFolder,
];
