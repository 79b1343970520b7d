/** Pictures, masks and latents put into one batch; pictures cut into lists of tiles and back. */
import { concat } from '../engine/array/batch.ts';
import { matchLatentSize } from '../engine/array/latent-math.ts';
import { withChannels } from '../engine/array/rectangle.ts';
import { resizeMask, upscaleImage } from '../engine/array/resize.ts';
import { mergeTiles, splitTiles } from '../engine/array/tiles.ts';
import { NoodleError } from '../engine/errors.ts';
import { autogrow, image, inModule, int, latent, mask } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { joinLatents, latentFromBatch } from '../engine/values/latent-batch.ts';

const MOST = 50;
const define = inModule('comfy_extras.nodes_post_processing', 'v3');

export const batchImages = define({
  name: 'BatchImagesNode',
  displayName: 'Batch Images',
  category: 'image/batch',
  description: 'One batch of all pictures, in the size of the first.',
  essentialsCategory: 'Image Tools',
  inputs: { images: autogrow(['image', image({})], { prefix: 'image', max: MOST }) },
  outputs: [{ type: 'IMAGE' }],
  run: (inputs) => {
    const all = Object.values(inputs.images);
    const channels = Math.max(...all.map((x) => x.shape[3]));
    const [, h, w] = all[0].shape;
    const fit = all.map((x) => {
      const full = withChannels(x, channels);
      const fits = x.shape[1] === h && x.shape[2] === w;
      return fits ? full : upscaleImage(full, w, h, 'bilinear', 'center');
    });
    return [concat(fit)];
  },
});

export const batchMasks = define({
  name: 'BatchMasksNode',
  displayName: 'Batch Masks',
  category: 'image/mask',
  description: 'One batch of all masks, in the size of the first.',
  inputs: { masks: autogrow(['mask', mask({})], { prefix: 'mask', max: MOST }) },
  outputs: [{ type: 'MASK' }],
  run: (inputs) => {
    const all = Object.values(inputs.masks);
    const [, h, w] = all[0].shape;
    const fits = (shape: readonly number[]): boolean => shape[1] === h && shape[2] === w;
    return [
      concat(all.map((x) => (fits(x.shape) ? x : resizeMask(x, w, h, 'bilinear', 'center')))),
    ];
  },
});

export const batchLatents = define({
  name: 'BatchLatentsNode',
  displayName: 'Batch Latents',
  category: 'model/latent/batch',
  description: 'One batch of all latents, in the size of the first.',
  inputs: { latents: autogrow(['latent', latent({})], { prefix: 'latent', max: MOST }) },
  outputs: [{ type: 'LATENT' }],
  run: (inputs) => {
    const [first, ...others] = Object.values(inputs.latents);
    const indexed = latentFromBatch(first, 0, first.samples.shape[0]);
    return [
      others.reduce(
        (batch, next) => joinLatents(batch, next, matchLatentSize(next.samples, first.samples)),
        indexed,
      ),
    ];
  },
});

const defineTiles = inModule('comfy_extras.nodes_images', 'v3', { category: 'image/batch' });
const overlap = () => int({ default: 128, min: 0, max: 4096 });

export const splitImageToTileList = defineTiles({
  name: 'SplitImageToTileList',
  displayName: 'Split Image into List of Tiles',
  description: 'The picture as a list of tiles that overlap; what follows runs once for each.',
  inputs: {
    image: image({}),
    tile_width: int({ default: 1024, min: 64, max: 16384 }),
    tile_height: int({ default: 1024, min: 64, max: 16384 }),
    overlap: overlap(),
  },
  outputs: [{ type: 'IMAGE', list: true }],
  run: ({ image, tile_width: tileWidth, tile_height: tileHeight, overlap }) => [
    splitTiles(image, { tileWidth, tileHeight, overlap }),
  ],
});

export const imageMergeTileList = defineTiles({
  name: 'ImageMergeTileList',
  displayName: 'Merge List of Tiles to Image',
  description: 'Lays a list of tiles together and blends them where they overlap.',
  inputIsList: true,
  inputs: {
    image_list: image({}),
    final_width: int({ default: 1024, min: 64, max: 32768 }),
    final_height: int({ default: 1024, min: 64, max: 32768 }),
    overlap: overlap(),
  },
  outputs: [{ type: 'IMAGE', list: false }],
  run: ({ image_list: tiles, final_width: [width], final_height: [height], overlap }) => {
    if (tiles.length === 0) {
      const expected = 'at least one tile';
      throw new NoodleError('BAD_INPUT', { subject: 'image_list', expected, got: 'an empty list' });
    }
    return [mergeTiles(tiles, { width, height, overlap: overlap[0] })];
  },
});

export const imageBatchNodes: readonly NodeDefinition[] = [
  batchImages,
  batchMasks,
  batchLatents,
  splitImageToTileList,
  imageMergeTileList,
];
