/** Lists of pictures changed, shuffled and joined. */
import { concat, rows } from '../engine/array/batch.ts';
import {
  cropToSize,
  pictureGrid,
  resizeEdge,
  withoutDuplicates,
} from '../engine/array/dataset-pictures.ts';
import { map } from '../engine/array/elementwise.ts';
import { clamp } from '../engine/array/round.ts';
import { NoodleError } from '../engine/errors.ts';
import {
  conditioning,
  float,
  image,
  inModule,
  int,
  int64,
  latent,
  socket,
  string,
} from '../engine/node.ts';
import type { Image, InputSpec, InputValues, NodeDefinition } from '../engine/node.ts';
import { numpyRandom } from '../engine/sampling/noise/numpy-random.ts';
import { bucketsByResolution } from '../engine/values/latent-batch.ts';

const define = inModule('comfy_extras.nodes_dataset', 'v3', { experimental: true });

const MAX_SEED = 0xffffffffffffffffn;
const seed = () => int64({ default: 0, min: 0, max: MAX_SEED });
const size = (fallback: number) => int({ default: fallback, min: 1, max: 8192 });

type Inputs = Readonly<Record<string, InputSpec>>;
interface Names {
  readonly name: string;
  readonly displayName: string;
  readonly category: string;
  readonly description: string;
  readonly deprecated?: boolean;
}

/** A node that changes each picture of a batch for itself; the results must be of one size. */
const pictureNode = <const I extends Inputs>(
  names: Names,
  inputs: I,
  change: (picture: Image, values: InputValues<I>) => Image,
): NodeDefinition =>
  define({
    ...names,
    inputs: { images: image({}), ...inputs },
    outputs: [{ type: 'IMAGE', name: 'images' }],
    run: (given) => {
      const images = given.images as Image;
      const single = Array.from({ length: images.shape[0] }, (_, i) => rows(images, i, i + 1));
      return [concat(single.map((picture) => change(picture, given as InputValues<I>)))];
    },
  });

const transform = 'image/transform';

export const pictureNodes: readonly NodeDefinition[] = [
  pictureNode(
    {
      name: 'ResizeImagesByShorterEdge',
      displayName: 'Resize Images by Shorter Edge (DEPRECATED)',
      category: transform,
      description: 'Scales pictures so that the shorter edge has a length.',
      deprecated: true,
    },
    { shorter_edge: size(512) },
    (picture, { shorter_edge }) => resizeEdge(picture, shorter_edge, 'shorter'),
  ),
  pictureNode(
    {
      name: 'ResizeImagesByLongerEdge',
      displayName: 'Resize Images by Longer Edge (DEPRECATED)',
      category: transform,
      description: 'Scales pictures so that the longer edge has a length.',
      deprecated: true,
    },
    { longer_edge: size(1024) },
    (picture, { longer_edge }) => resizeEdge(picture, longer_edge, 'longer'),
  ),
  pictureNode(
    {
      name: 'CenterCropImages',
      displayName: 'Crop Image (Center)',
      category: transform,
      description: 'The middle of pictures.',
    },
    { width: size(512), height: size(512) },
    (picture, { width, height }) =>
      cropToSize(picture, { width, height }, (free) => Math.floor(free / 2)),
  ),
  pictureNode(
    {
      name: 'RandomCropImages',
      displayName: 'Crop Image (Random)',
      category: transform,
      description: 'A part of pictures at a place that the seed chooses.',
    },
    { width: size(512), height: size(512), seed: seed() },
    (picture, { width, height, seed }) =>
      cropToSize(picture, { width, height }, numpyRandom(seed).upTo),
  ),
  pictureNode(
    {
      name: 'NormalizeImages',
      displayName: 'Normalize Image Colors',
      category: 'image/color',
      description: 'Every number less a mean, divided by a deviation.',
    },
    {
      mean: float({ default: 0.5, min: 0, max: 1, advanced: true }),
      std: float({ default: 0.5, min: 0.001, max: 1, advanced: true }),
    },
    (picture, { mean, std }) => map(picture, (v) => (v - mean) / std),
  ),
  pictureNode(
    {
      name: 'AdjustBrightness',
      displayName: 'Adjust Brightness',
      category: 'image/adjustments',
      description: 'Every number times a factor.',
    },
    { factor: float({ default: 1, min: 0, max: 2 }) },
    (picture, { factor }) => map(picture, (v) => clamp(v * factor, 0, 1)),
  ),
  pictureNode(
    {
      name: 'AdjustContrast',
      displayName: 'Adjust Contrast',
      category: 'image/adjustments',
      description: 'The distance of every number from the middle times a factor.',
    },
    { factor: float({ default: 1, min: 0, max: 2 }) },
    (picture, { factor }) => map(picture, (v) => clamp((v - 0.5) * factor + 0.5, 0, 1)),
  ),
];

/** A node that sees the whole list of pictures, one by one. */
const listNode = <const I extends Inputs>(
  names: Omit<Names, 'category'>,
  inputs: I,
  change: (pictures: readonly Image[], values: InputValues<I>) => readonly Image[] | Image,
  isList = true,
): NodeDefinition =>
  define({
    ...names,
    category: 'image/batch',
    inputIsList: true,
    inputs: { images: image({}), ...inputs },
    outputs: [{ type: 'IMAGE', name: 'images', list: isList }],
    run: ({ images, ...rest }) => {
      const single = (images as readonly Image[]).flatMap((batch) =>
        Array.from({ length: batch.shape[0] }, (_, i) => rows(batch, i, i + 1)),
      );
      const lists = Object.entries(rest as Record<string, readonly unknown[]>);
      const values = lists.map(([name, list]) => [name, list[0]] as const);
      return [change(single, Object.fromEntries(values) as InputValues<I>)];
    },
  });

const shuffled = <T>(list: readonly T[], order: readonly number[]): T[] =>
  order.map((i) => list[i]);

const cell = () => int({ default: 256, min: 32, max: 2048, advanced: true });

export const pictureListNodes: readonly NodeDefinition[] = [
  listNode(
    {
      name: 'ShuffleDataset',
      displayName: 'Shuffle Images List',
      description: 'The pictures of a list in an order that the seed chooses.',
    },
    { seed: seed() },
    (pictures, { seed }) => shuffled(pictures, numpyRandom(seed).permutation(pictures.length)),
  ),
  listNode(
    {
      name: 'ImageDeduplication',
      displayName: 'Deduplicate Images',
      description: 'Leaves out pictures that look like one before them.',
    },
    { similarity_threshold: float({ default: 0.95, min: 0, max: 1, advanced: true }) },
    (pictures, { similarity_threshold }) => withoutDuplicates(pictures, similarity_threshold),
  ),
  listNode(
    {
      name: 'ImageGrid',
      displayName: 'Make Image Grid',
      description: 'Lays pictures out in rows and columns.',
    },
    {
      columns: int({ default: 4, min: 1, max: 20 }),
      cell_width: cell(),
      cell_height: cell(),
      padding: int({ default: 4, min: 0, max: 50, advanced: true }),
    },
    (pictures, { columns, cell_width: width, cell_height: height, padding }) => {
      if (pictures.length > 0) return pictureGrid(pictures, { columns, width, height, padding });
      const expected = 'at least one picture';
      throw new NoodleError('BAD_INPUT', { subject: 'images', expected, got: 'an empty list' });
    },
    false,
  ),
  listNode(
    {
      name: 'MergeImageLists',
      displayName: 'Merge Image Lists (DEPRECATED)',
      description: 'One list of all pictures, one by one.',
      deprecated: true,
    },
    {},
    (pictures) => pictures,
  ),
];

/** A node that shuffles pairs; both lists get the same order. */
const shufflePairs = (
  name: string,
  displayName: string,
  category: string,
  [id, type]: readonly [id: string, type: string],
  texts: InputSpec<string, false>,
): NodeDefinition =>
  define({
    name,
    displayName,
    category,
    description: 'The pairs of two lists in an order that the seed chooses.',
    inputIsList: true,
    inputs: { [id]: socket(type, {}), texts, seed: seed() },
    outputs: [
      { type, name: id, list: true },
      { type: 'STRING', name: 'texts', list: true },
    ],
    run: (inputs) => {
      const { [id]: items, texts: captions } = inputs;
      if (captions.length < items.length) {
        const expected = `${items.length} texts, as many as ${id}`;
        throw new NoodleError('BAD_INPUT', { subject: 'texts', expected, got: captions.length });
      }
      const order = numpyRandom(inputs.seed[0]).permutation(items.length);
      return [shuffled(items, order), shuffled(captions, order)];
    },
  });

export const shuffleNodes: readonly NodeDefinition[] = [
  shufflePairs(
    'ShuffleImageTextDataset',
    'Shuffle Pairs of Image-Text',
    'image/batch',
    ['images', 'IMAGE'],
    string({ forceInput: true }),
  ),
  shufflePairs(
    'ShuffleVideoTextDataset',
    'Shuffle Pairs of Video-Text',
    'dataset/video',
    ['videos', 'VIDEO'],
    string(),
  ),
  define({
    name: 'ShuffleVideoDataset',
    displayName: 'Shuffle Videos List',
    category: 'video/batch',
    description: 'The videos of a list in an order that the seed chooses.',
    inputIsList: true,
    inputs: { videos: socket('VIDEO', {}), seed: seed() },
    outputs: [{ type: 'VIDEO', name: 'videos', list: true }],
    run: ({ videos, seed }) => [shuffled(videos, numpyRandom(seed[0]).permutation(videos.length))],
  }),
];

export const resolutionBucket = define({
  name: 'ResolutionBucket',
  displayName: 'Resolution Bucket',
  category: 'model/training',
  description: 'Latents of one size and their conditionings put together, a batch for each size.',
  inputIsList: true,
  inputs: { latents: latent({}), conditioning: conditioning({}) },
  outputs: [
    { type: 'LATENT', name: 'latents', list: true },
    { type: 'CONDITIONING', name: 'conditioning', list: true },
  ],
  run: ({ latents, conditioning: entries }) => {
    const counts = [latents, entries].map((list) => list.length);
    if (counts[0] !== counts[1]) {
      const expected = `${counts[0]} conditionings, one for each latent`;
      throw new NoodleError('BAD_INPUT', { subject: 'conditioning', expected, got: counts[1] });
    }
    const buckets = bucketsByResolution(latents, entries);
    return [buckets.map((bucket) => bucket.latent), buckets.map((bucket) => bucket.items)];
  },
});

export const datasetNodes: readonly NodeDefinition[] = [
  ...pictureNodes,
  ...pictureListNodes,
  ...shuffleNodes,
  resolutionBucket,
];
