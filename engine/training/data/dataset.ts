/** A data set: a folder's pictures, what each is brought to, and the batches that they are trained in. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { NoodleError } from '../../errors.ts';
import { MAX_PIXELS } from '../../media/limits.ts';
import { uprightSize } from '../../media/upright-size.ts';
import type { PythonRandom } from '../../sampling/noise/python-random.ts';
import { type Links, isFile } from '../../store/paths.ts';
import { sliceBuckets } from './batches.ts';
import { findMask, findPictures } from './files.ts';
import type { Item, PictureFile } from './item.ts';
import { type Placement, place } from './placement.ts';
import type { DatasetSettings, WithWords } from './settings.ts';

export interface Dataset<S extends DatasetSettings = DatasetSettings> {
  readonly settings: WithWords<S>;
  /** Where its pictures lie, and where links among them may lead. */
  readonly root: string;
  readonly links: Links;
  /** What sides of buckets are multiples of. */
  readonly unit: number;
  readonly items: readonly Item[];
  /** Numbers of items. */
  readonly batches: readonly (readonly number[])[];
}

export interface DatasetOptions {
  /** What the model needs sides to be multiples of, in pixels. */
  readonly unit: number;
  /** Of a set that has no batch size of its own. */
  readonly batchSize: number;
  /** Of all that is random about data; draws are made in the order of the sets. */
  readonly random: PythonRandom;
  /** Where links among the pictures may lead; nowhere but into the folder when left out. */
  readonly links?: Links;
  readonly signal?: AbortSignal;
}

/**
 * Opens a data set: looks for its pictures and captions, reads their sizes, and draws crops and batches.
 * Throws BAD_INPUT, FILE_NOT_FOUND or IMAGE_FILE naming the file.
 */
export async function openDataset<S extends DatasetSettings>(
  settings: S,
  options: DatasetOptions,
): Promise<Dataset<S>> {
  const { unit, batchSize, random, links = 'refuse', signal } = options;
  const { randomTriggers: words } = settings;
  const randomTriggers = 'file' in words ? readWords(words.file) : words;
  const { root, pictures } = findPictures(settings, links);
  const found: Pick<Item, keyof PictureFile | 'size'>[] = [];
  for (const picture of pictures) {
    signal?.throwIfAborted();
    found.push({ ...picture, size: await uprightSize(picture.path, picture.name) });
  }
  const repeated = Array.from({ length: settings.numRepeats }, () => found).flat();
  const items = mirrored(repeated, settings).map((item) => ({
    ...item,
    placement: reasonable(place(item.size, settings, unit, random), item.name),
    mask: settings.maskPath && findMask(settings.maskPath, item.name, links),
  }));
  const buckets = items.map(({ placement: { crop } }) => `${crop.width}x${crop.height}`);
  const batches = sliceBuckets(buckets, settings.batchSize ?? batchSize, random);
  return { settings: { ...settings, randomTriggers }, root, links, unit, items, batches };
}

/** A narrow picture can be scaled beyond all bounds. Throws IMAGE_FILE. */
function reasonable(placement: Placement, name: string): Placement {
  const { width, height } = placement.scaled;
  if (width * height <= MAX_PIXELS) return placement;
  const reason = `it would be scaled to ${width} x ${height} pixels`;
  throw new NoodleError('IMAGE_FILE', { name, reason });
}

/** Behind all pictures their mirror images: left to right, then upside down of all of these. */
function mirrored<T>(
  pictures: readonly T[],
  { flipX, flipY }: DatasetSettings,
): (T & Pick<Item, 'flipX' | 'flipY'>)[] {
  const plain = pictures.map((item) => ({ ...item, flipX: false, flipY: false }));
  const across = flipX ? [...plain, ...plain.map((item) => ({ ...item, flipX: true }))] : plain;
  return flipY ? [...across, ...across.map((item) => ({ ...item, flipY: true }))] : across;
}

/** The words of a text file, a line each. */
function readWords(path: string): string[] {
  if (!isFile(path)) {
    throw new NoodleError('FILE_NOT_FOUND', { kind: 'random_triggers', name: basename(path) });
  }
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.map((line) => line.trim()).filter((line) => line !== '');
}
