/** Pictures blended, blurred, reduced in colours and otherwise filtered. */
import { repeatToBatch } from '../engine/array/batch.ts';
import { blend } from '../engine/array/blend-modes.ts';
import { canny } from '../engine/array/canny.ts';
import { rgbToYuv, yuvToRgb } from '../engine/array/colour.ts';
import { blurImage, sharpenImage } from '../engine/array/convolve.ts';
import { morphology } from '../engine/array/morphology.ts';
import { withChannels } from '../engine/array/rectangle.ts';
import { upscaleImage } from '../engine/array/resize.ts';
import { quantizeImage } from '../engine/media/quantize.ts';
import { combo, float, image, inModule, int } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';

const V3_LIST = { multiselect: false };

const IMAGE = [{ type: 'IMAGE' }] as const;
const definePostprocessing = inModule('comfy_extras.nodes_post_processing', 'v3', {
  category: 'image/postprocessing',
  outputs: IMAGE,
});
const defineMorphology = inModule('comfy_extras.nodes_morphology', 'v3', {
  category: 'image/batch',
  outputs: IMAGE,
});

export const imageBlend = definePostprocessing({
  name: 'ImageBlend',
  inputs: {
    image1: image({}),
    image2: image({}),
    blend_factor: float({ default: 0.5, min: 0, max: 1, step: 0.01 }),
    blend_mode: combo(
      ['normal', 'multiply', 'screen', 'overlay', 'soft_light', 'difference'] as const,
      V3_LIST,
    ),
  },
  run: ({ image1, image2, blend_factor, blend_mode }) => {
    const [count, h, w, channels] = image1.shape;
    // A second picture without the first one's alpha is opaque; alpha that the first lacks is cut.
    const scaled = upscaleImage(withChannels(image2, channels), w, h, 'bicubic', 'center');
    return [blend(image1, repeatToBatch(scaled, count), blend_mode, blend_factor)];
  },
});

export const imageBlur = definePostprocessing({
  name: 'ImageBlur',
  inputs: {
    image: image({}),
    blur_radius: int({ default: 1, min: 1, max: 31, step: 1 }),
    sigma: float({ default: 1, min: 0.1, max: 10, step: 0.1 }),
  },
  run: ({ image, blur_radius, sigma }) => [blurImage(image, blur_radius, sigma)],
});

export const imageSharpen = definePostprocessing({
  name: 'ImageSharpen',
  inputs: {
    image: image({}),
    sharpen_radius: int({ default: 1, min: 1, max: 31, step: 1 }),
    sigma: float({ default: 1, min: 0.1, max: 10, step: 0.01 }),
    alpha: float({ default: 1, min: 0, max: 5, step: 0.01 }),
  },
  run: ({ image, sharpen_radius, sigma, alpha }) => [
    sharpenImage(image, { radius: sharpen_radius, sigma, alpha }),
  ],
});

export const imageQuantize = definePostprocessing({
  name: 'ImageQuantize',
  inputs: {
    image: image({}),
    colors: int({ default: 256, min: 1, max: 256, step: 1 }),
    dither: combo(
      ['none', 'floyd-steinberg', 'bayer-2', 'bayer-4', 'bayer-8', 'bayer-16'] as const,
      V3_LIST,
    ),
  },
  run: ({ image, colors, dither }) => [quantizeImage(image, colors, dither)],
});

export const morphologyNode = defineMorphology({
  name: 'Morphology',
  displayName: 'ImageMorphology',
  category: 'image/postprocessing',
  inputs: {
    image: image({}),
    operation: combo(
      ['erode', 'dilate', 'open', 'close', 'gradient', 'bottom_hat', 'top_hat'] as const,
      V3_LIST,
    ),
    kernel_size: int({ default: 3, min: 3, max: 999, step: 1 }),
  },
  run: ({ image, operation, kernel_size }) => [morphology(image, operation, kernel_size)],
});

export const imageRgbToYuv = defineMorphology({
  name: 'ImageRGBToYUV',
  inputs: { image: image({}) },
  outputs: ['Y', 'U', 'V'].map((name) => ({ type: 'IMAGE', name })),
  run: ({ image }) => rgbToYuv(image),
});

export const imageYuvToRgb = defineMorphology({
  name: 'ImageYUVToRGB',
  inputs: { Y: image({}), U: image({}), V: image({}) },
  run: ({ Y, U, V }) => [yuvToRgb(Y, U, V)],
});

export const cannyNode = inModule(
  'comfy_extras.nodes_canny',
  'v3',
)({
  name: 'Canny',
  category: 'image/preprocessors',
  inputs: {
    image: image({}),
    low_threshold: float({ default: 0.4, min: 0.01, max: 0.99, step: 0.01 }),
    high_threshold: float({ default: 0.8, min: 0.01, max: 0.99, step: 0.01 }),
  },
  outputs: [{ type: 'IMAGE' }],
  run: ({ image, low_threshold, high_threshold }) => [canny(image, low_threshold, high_threshold)],
});

export const imageFilterNodes: readonly NodeDefinition[] = [
  imageBlend,
  imageBlur,
  imageSharpen,
  imageQuantize,
  morphologyNode,
  imageRgbToYuv,
  imageYuvToRgb,
  cannyNode,
];
