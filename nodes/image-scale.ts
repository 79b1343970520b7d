/** Pictures scaled. */
import { padImage } from '../engine/array/rectangle.ts';
import { upscaleImage } from '../engine/array/resize.ts';
import { roundHalfEven, roundToInteger, toInteger } from '../engine/array/round.ts';
import { combo, float, image, inModule, int, optional } from '../engine/node.ts';
import type { Image, NodeDefinition } from '../engine/node.ts';

const METHODS = ['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos'] as const;
const CROPS = ['disabled', 'center'] as const;

const upscaling = { category: 'image/upscaling', outputs: [{ type: 'IMAGE' }] } as const;
const define = inModule('nodes', 'v1', upscaling);
const defineExtra = inModule('comfy_extras.nodes_images', 'v1', upscaling);
const side = (min: number) => int({ default: 512, min, max: 16384, step: 1 });

export const imageScale = define({
  name: 'ImageScale',
  displayName: 'Upscale Image',
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

/** Both sides times `factor`, rounded to multiples of `steps`. */
function scaleBy(x: Image, factor: number, method: (typeof METHODS)[number], steps = 1): Image {
  const [height, width] = [x.shape[1], x.shape[2]].map(
    (side) => roundToInteger((side * factor) / steps) * steps,
  );
  return upscaleImage(x, width, height, method, 'disabled');
}

export const imageScaleBy = define({
  name: 'ImageScaleBy',
  displayName: 'Upscale Image By',
  inputs: {
    image: image(),
    upscale_method: combo(METHODS),
    scale_by: float({ default: 1, min: 0.01, max: 8, step: 0.01 }),
  },
  run: ({ image, upscale_method, scale_by }) => [scaleBy(image, scale_by, upscale_method)],
});

export const imageScaleToTotalPixels = inModule(
  'comfy_extras.nodes_post_processing',
  'v3',
)({
  name: 'ImageScaleToTotalPixels',
  category: 'image/upscaling',
  inputs: {
    image: image({}),
    upscale_method: combo(METHODS, { multiselect: false }),
    megapixels: float({ default: 1, min: 0.01, max: 16, step: 0.01 }),
    // Of 0.33: both sides become multiples of it.
    resolution_steps: optional(int({ default: 1, min: 1, max: 256, advanced: true })),
  },
  outputs: [{ type: 'IMAGE' }],
  run: ({ image, upscale_method, megapixels, resolution_steps: steps = 1 }) => {
    const total = toInteger(megapixels * 1024 * 1024);
    const factor = Math.sqrt(total / (image.shape[1] * image.shape[2]));
    return [scaleBy(image, factor, upscale_method, steps)];
  },
});

export const imageScaleToMaxDimension = defineExtra({
  name: 'ImageScaleToMaxDimension',
  displayName: 'ImageScaleToMaxDimension',
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

export const resizeAndPadImage = defineExtra({
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

export const imageScaleNodes: readonly NodeDefinition[] = [
  imageScale,
  imageScaleBy,
  imageScaleToTotalPixels,
  imageScaleToMaxDimension,
  resizeAndPadImage,
];
