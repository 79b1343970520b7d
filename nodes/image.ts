/** Pictures made, scaled, turned, cut and joined. */
import { concat, repeatToBatch, rows } from '../engine/array/batch.ts';
import { channelsFirst, channelsLast } from '../engine/array/layout.ts';
import { type NDArray, nd } from '../engine/array/nd.ts';
import { padForOutpaint } from '../engine/array/outpaint.ts';
import { cropImage, padImage, pasteMasked, withChannels } from '../engine/array/rectangle.ts';
import { upscaleImage } from '../engine/array/resize.ts';
import { clamp, roundHalfEven, roundToInteger, toInteger } from '../engine/array/round.ts';
import { stitchImages } from '../engine/array/stitch.ts';
import { flipAxis, rotateClockwise } from '../engine/array/turn.ts';
import {
  boolean,
  combo,
  defineNode,
  float,
  image,
  int,
  int64,
  mask,
  optional,
} from '../engine/node.ts';
import type { Image, NodeDefinition } from '../engine/node.ts';
import { prepareNoise } from '../engine/sampling/noise/prepare-noise.ts';

const MAX = 16384;
const METHODS = ['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos'] as const;
const CROPS = ['disabled', 'center'] as const;

const core = { module: 'nodes', form: 'v1', outputs: [{ type: 'IMAGE' }] } as const;
const images = {
  module: 'comfy_extras.nodes_images',
  form: 'v1',
  outputs: [{ type: 'IMAGE' }],
} as const;
const side = (min: number, fallback = 512) => int({ default: fallback, min, max: MAX, step: 1 });

export const imageScale = defineNode({
  ...core,
  name: 'ImageScale',
  displayName: 'Upscale Image',
  category: 'image/upscaling',
  inputs: {
    image: image(),
    upscale_method: combo(METHODS),
    width: side(0),
    height: side(0),
    crop: combo(CROPS),
  },
  run: ({ image, upscale_method, width, height, crop }) => {
    if (width === 0 && height === 0) return [image];
    const [, h, w] = image.shape;
    // One side 0 keeps the aspect ratio.
    const wide = width || Math.max(1, roundHalfEven((w * height) / h));
    const high = height || Math.max(1, roundHalfEven((h * width) / w));
    return [upscaleImage(image, wide, high, upscale_method, crop)];
  },
});

/** Both sides times `factor`, rounded. */
function scaleBy(x: Image, factor: number, method: (typeof METHODS)[number]): Image {
  const [height, width] = [x.shape[1], x.shape[2]].map((v) => roundToInteger(v * factor));
  return upscaleImage(x, width, height, method, 'disabled');
}

export const imageScaleBy = defineNode({
  ...core,
  name: 'ImageScaleBy',
  displayName: 'Upscale Image By',
  category: 'image/upscaling',
  inputs: {
    image: image(),
    upscale_method: combo(METHODS),
    scale_by: float({ default: 1, min: 0.01, max: 8, step: 0.01 }),
  },
  run: ({ image, upscale_method, scale_by }) => [scaleBy(image, scale_by, upscale_method)],
});

export const imageScaleToTotalPixels = defineNode({
  name: 'ImageScaleToTotalPixels',
  category: 'image/upscaling',
  module: 'comfy_extras.nodes_post_processing',
  form: 'v3',
  inputs: {
    image: image({}),
    upscale_method: combo(METHODS, { multiselect: false }),
    megapixels: float({ default: 1, min: 0.01, max: 16, step: 0.01 }),
  },
  outputs: [{ type: 'IMAGE' }],
  run: ({ image, upscale_method, megapixels }) => {
    const total = toInteger(megapixels * 1024 * 1024);
    const factor = Math.sqrt(total / (image.shape[1] * image.shape[2]));
    return [scaleBy(image, factor, upscale_method)];
  },
});

export const imageScaleToMaxDimension = defineNode({
  ...images,
  name: 'ImageScaleToMaxDimension',
  displayName: 'ImageScaleToMaxDimension',
  category: 'image/upscaling',
  inputs: {
    image: image(),
    upscale_method: combo([
      'area',
      'lanczos',
      'bilinear',
      'nearest-exact',
      'bilinear',
      'bicubic',
    ] as const),
    largest_size: side(0),
  },
  run: ({ image, upscale_method, largest_size }) => {
    const [, h, w] = image.shape;
    const width = w >= h ? largest_size : roundHalfEven((w / h) * largest_size);
    const height = h >= w ? largest_size : roundHalfEven((h / w) * largest_size);
    return [upscaleImage(image, width, height, upscale_method, 'disabled')];
  },
});

export const resizeAndPadImage = defineNode({
  ...images,
  name: 'ResizeAndPadImage',
  displayName: 'ResizeAndPadImage',
  category: 'image/transform',
  inputs: {
    image: image(),
    target_width: side(1),
    target_height: side(1),
    padding_color: combo(['white', 'black']),
    interpolation: combo(['area', 'bicubic', 'nearest-exact', 'bilinear', 'lanczos'] as const),
  },
  run: ({ image, target_width, target_height, padding_color, interpolation }) => {
    const [, h, w] = image.shape;
    const scale = Math.min(target_width / w, target_height / h);
    const [width, height] = [Math.trunc(w * scale), Math.trunc(h * scale)];
    const box = {
      top: Math.floor((target_height - height) / 2),
      left: Math.floor((target_width - width) / 2),
      height: target_height,
      width: target_width,
    };
    const scaled = upscaleImage(image, width, height, interpolation, 'disabled');
    return [padImage(scaled, box, padding_color === 'white' ? 1 : 0)];
  },
});

export const imageInvert = defineNode({
  ...core,
  name: 'ImageInvert',
  displayName: 'Invert Image',
  category: 'image',
  inputs: { image: image() },
  run: ({ image }) => {
    const out = new Float32Array(image.data.length);
    for (let i = 0; i < out.length; i++) out[i] = 1 - image.data[i];
    return [nd(out, image.shape)];
  },
});

export const imageBatch = defineNode({
  ...core,
  name: 'ImageBatch',
  displayName: 'Batch Images',
  category: 'image',
  inputs: { image1: image(), image2: image() },
  run: ({ image1, image2 }) => {
    const [, h, w] = image1.shape;
    const channels = Math.max(image1.shape[3], image2.shape[3]);
    const scaled = upscaleImage(image2, w, h, 'bilinear', 'center');
    return [concat([withChannels(image1, channels), withChannels(scaled, channels)])];
  },
});

export const imagePadForOutpaint = defineNode({
  ...core,
  name: 'ImagePadForOutpaint',
  displayName: 'Pad Image for Outpainting',
  category: 'image',
  inputs: {
    image: image(),
    left: int({ default: 0, min: 0, max: MAX, step: 8 }),
    top: int({ default: 0, min: 0, max: MAX, step: 8 }),
    right: int({ default: 0, min: 0, max: MAX, step: 8 }),
    bottom: int({ default: 0, min: 0, max: MAX, step: 8 }),
    feathering: side(0, 40),
  },
  outputs: [{ type: 'IMAGE' }, { type: 'MASK' }],
  run: ({ image, left, top, right, bottom, feathering }) => {
    const padded = padForOutpaint(image, { left, top, right, bottom }, feathering);
    return [padded.image, padded.mask];
  },
});

export const emptyImage = defineNode({
  ...core,
  name: 'EmptyImage',
  displayName: 'EmptyImage',
  category: 'image',
  inputs: {
    width: side(1),
    height: side(1),
    batch_size: int({ default: 1, min: 1, max: 4096 }),
    color: int({ default: 0, min: 0, max: 0xffffff, step: 1, display: 'color' }),
  },
  run: ({ width, height, batch_size, color }) => {
    const out = new Float32Array(batch_size * height * width * 3);
    const rgb = [16, 8, 0].map((shift) => ((color >> shift) & 255) / 255);
    for (let i = 0; i < out.length; i++) out[i] = rgb[i % 3];
    return [nd(out, [batch_size, height, width, 3])];
  },
});

export const imageCrop = defineNode({
  ...images,
  name: 'ImageCrop',
  displayName: 'Image Crop',
  category: 'image/transform',
  inputs: { image: image(), width: side(1), height: side(1), x: side(0, 0), y: side(0, 0) },
  run: ({ image, width, height, x, y }) => {
    const [, h, w] = image.shape;
    return [cropImage(image, { left: Math.min(x, w - 1), top: Math.min(y, h - 1), width, height })];
  },
});

export const repeatImageBatch = defineNode({
  ...images,
  name: 'RepeatImageBatch',
  displayName: 'RepeatImageBatch',
  category: 'image/batch',
  inputs: { image: image(), amount: int({ default: 1, min: 1, max: 4096 }) },
  run: ({ image, amount }) => [repeatToBatch(image, image.shape[0] * amount)],
});

export const imageFromBatch = defineNode({
  ...images,
  name: 'ImageFromBatch',
  displayName: 'ImageFromBatch',
  category: 'image/batch',
  inputs: {
    image: image(),
    batch_index: int({ default: 0, min: 0, max: 4095 }),
    length: int({ default: 1, min: 1, max: 4096 }),
  },
  run: ({ image, batch_index, length }) => {
    const first = Math.min(image.shape[0] - 1, batch_index);
    return [rows(image, first, Math.min(image.shape[0], first + length))];
  },
});

export const imageAddNoise = defineNode({
  ...images,
  name: 'ImageAddNoise',
  displayName: 'ImageAddNoise',
  category: 'image',
  inputs: {
    image: image(),
    seed: int64({
      default: 0,
      min: 0,
      max: 0xffffffffffffffffn,
      control_after_generate: true,
      tooltip: 'The seed of the noise.',
    }),
    strength: float({ default: 0.5, min: 0, max: 1, step: 0.01 }),
  },
  run: ({ image, seed, strength }) => {
    const noise = prepareNoise(image.shape, seed);
    const out = new Float32Array(image.data.length);
    for (let i = 0; i < out.length; i++) {
      out[i] = clamp(image.data[i] + strength * noise.data[i], 0, 1);
    }
    return [nd(out, image.shape)];
  },
});

export const imageStitch = defineNode({
  ...images,
  name: 'ImageStitch',
  displayName: 'Image Stitch',
  category: 'image/transform',
  description: 'Puts image2 beside image1, with a gap if wanted. Without image2 image1 passes.',
  inputs: {
    image1: image(),
    direction: combo(['right', 'down', 'left', 'up'] as const, { default: 'right' }),
    match_image_size: boolean({ default: true }),
    spacing_width: int({ default: 0, min: 0, max: 1024, step: 2 }),
    spacing_color: combo(['white', 'black', 'red', 'green', 'blue'] as const, {
      default: 'white',
    }),
    image2: optional(image()),
  },
  run: ({ image1, image2, direction, match_image_size, spacing_width, spacing_color }) => {
    if (!image2) return [image1];
    return [
      stitchImages(image1, image2, {
        direction,
        matchSize: match_image_size,
        spacing: spacing_width,
        colour: spacing_color,
      }),
    ];
  },
});

export const getImageSize = defineNode({
  ...images,
  name: 'GetImageSize',
  displayName: 'Get Image Size',
  category: 'image',
  description: 'Width, height and number of the pictures; also shown on the node.',
  inputs: { image: image() },
  hidden: { unique_id: 'UNIQUE_ID' },
  outputs: [
    { type: 'INT', name: 'width' },
    { type: 'INT', name: 'height' },
    { type: 'INT', name: 'batch_size' },
  ],
  run: ({ image }, context) => {
    const [count, height, width] = image.shape;
    context.sendText(`width: ${width}, height: ${height}\n batch size: ${count}`);
    return [width, height, count];
  },
});

export const imageRotate = defineNode({
  ...images,
  name: 'ImageRotate',
  displayName: 'ImageRotate',
  category: 'image/transform',
  inputs: {
    image: image(),
    rotation: combo(['none', '90 degrees', '180 degrees', '270 degrees']),
  },
  run: ({ image, rotation }) => {
    const turns = (Number.parseInt(rotation) || 0) / 90;
    return [rotateClockwise(image, turns, { y: 1, x: 2 })];
  },
});

export const imageFlip = defineNode({
  ...images,
  name: 'ImageFlip',
  displayName: 'ImageFlip',
  category: 'image/transform',
  inputs: { image: image(), flip_method: combo(['x-axis: vertically', 'y-axis: horizontally']) },
  run: ({ image, flip_method }) => [flipAxis(image, flip_method.startsWith('x') ? 1 : 2)],
});

export const imageCompositeMasked = defineNode({
  name: 'ImageCompositeMasked',
  displayName: 'ImageCompositeMasked',
  category: 'image',
  module: 'comfy_extras.nodes_mask',
  form: 'v1',
  inputs: {
    destination: image(),
    source: image(),
    x: side(0, 0),
    y: side(0, 0),
    resize_source: boolean({ default: false }),
    mask: optional(mask()),
  },
  outputs: [{ type: 'IMAGE' }],
  run: ({ destination, source, x, y, resize_source, mask }) => {
    const from = withChannels(source, destination.shape[3]);
    const options = { x, y, multiplier: 1, mask, resizeSource: resize_source };
    return [channelsLast(pasteMasked(channelsFirst(destination), channelsFirst(from), options))];
  },
});

export const rebatchImages = defineNode({
  name: 'RebatchImages',
  displayName: 'Rebatch Images',
  category: 'image/batch',
  module: 'comfy_extras.nodes_rebatch',
  form: 'v3',
  inputIsList: true,
  inputs: { images: image({}), batch_size: int({ default: 1, min: 1, max: 4096 }) },
  outputs: [{ type: 'IMAGE', list: true }],
  run: ({ images: given, batch_size: [size] }) => {
    const single = given.flatMap((batch) =>
      Array.from({ length: batch.shape[0] }, (_, i) => rows(batch, i, i + 1)),
    );
    const batches: NDArray[] = [];
    for (let i = 0; i < single.length; i += size) batches.push(concat(single.slice(i, i + size)));
    return [batches];
  },
});

export const imageNodes: readonly NodeDefinition[] = [
  imageScale,
  imageScaleBy,
  imageInvert,
  imageBatch,
  imagePadForOutpaint,
  emptyImage,
  imageScaleToTotalPixels,
  imageCompositeMasked,
  rebatchImages,
  imageCrop,
  repeatImageBatch,
  imageFromBatch,
  imageAddNoise,
  imageStitch,
  resizeAndPadImage,
  getImageSize,
  imageRotate,
  imageFlip,
  imageScaleToMaxDimension,
];
