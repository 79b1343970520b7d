/** Masks made, changed and combined; pictures with alpha. */
import { rows } from '../engine/array/batch.ts';
import { porterDuff, porterDuffModes } from '../engine/array/blend-modes.ts';
import {
  channelMask,
  colourMask,
  compositeMasks,
  featherMask,
  joinAlpha,
  maskToImage,
} from '../engine/array/mask-math.ts';
import { growMask } from '../engine/array/morphology.ts';
import { type NDArray, full, nd, reshape, zeros } from '../engine/array/nd.ts';
import { cropPlanes, withChannels } from '../engine/array/rectangle.ts';
import { resizeMask, upscaleImage } from '../engine/array/resize.ts';
import { boolean, combo, float, image, inModule, int, mask } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { previewPictures, workflowInputs } from './image-io.ts';

const MAX = 16384;

const defineMask = inModule('comfy_extras.nodes_mask', 'v1', {
  category: 'mask',
  outputs: [{ type: 'MASK' }],
});
const defineCompositing = inModule('comfy_extras.nodes_compositing', 'v3', {
  category: 'mask/compositing',
});
const side = (min: number, fallback: number) => int({ default: fallback, min, max: MAX, step: 1 });

/** Masks may come without a batch axis. */
function batched(x: NDArray): NDArray {
  const [h, w] = x.shape.slice(-2);
  return reshape(x, [x.data.length / (h * w), h, w]);
}

export const maskToImageNode = defineMask({
  name: 'MaskToImage',
  displayName: 'Convert Mask to Image',
  inputs: { mask: mask() },
  outputs: [{ type: 'IMAGE' }],
  run: ({ mask }) => [maskToImage(mask)],
});

const CHANNELS = ['red', 'green', 'blue', 'alpha'] as const;

export const imageToMask = defineMask({
  name: 'ImageToMask',
  displayName: 'Convert Image to Mask',
  inputs: { image: image(), channel: combo(CHANNELS) },
  run: ({ image, channel }) => [channelMask(image, CHANNELS.indexOf(channel))],
});

export const imageColorToMask = defineMask({
  name: 'ImageColorToMask',
  displayName: 'ImageColorToMask',
  inputs: {
    image: image(),
    color: int({ default: 0, min: 0, max: 0xffffff, step: 1, display: 'color' }),
  },
  run: ({ image, color }) => [colourMask(image, color)],
});

export const solidMask = defineMask({
  name: 'SolidMask',
  displayName: 'SolidMask',
  inputs: {
    value: float({ default: 1, min: 0, max: 1, step: 0.01 }),
    width: side(1, 512),
    height: side(1, 512),
  },
  run: ({ value, width, height }) => [full([1, height, width], value)],
});

export const invertMask = defineMask({
  name: 'InvertMask',
  displayName: 'InvertMask',
  inputs: { mask: mask() },
  run: ({ mask }) => [
    nd(
      mask.data.map((v) => 1 - v),
      mask.shape,
    ),
  ],
});

export const cropMask = defineMask({
  name: 'CropMask',
  displayName: 'CropMask',
  inputs: {
    mask: mask(),
    x: side(0, 0),
    y: side(0, 0),
    width: side(1, 512),
    height: side(1, 512),
  },
  run: ({ mask, x, y, width, height }) => [
    cropPlanes(batched(mask), { left: x, top: y, width, height }),
  ],
});

export const maskComposite = defineMask({
  name: 'MaskComposite',
  displayName: 'MaskComposite',
  inputs: {
    destination: mask(),
    source: mask(),
    x: side(0, 0),
    y: side(0, 0),
    operation: combo(['multiply', 'add', 'subtract', 'and', 'or', 'xor'] as const),
  },
  run: ({ destination, source, x, y, operation }) => [
    compositeMasks(batched(destination), batched(source), { x, y, operation }),
  ],
});

export const featherMaskNode = defineMask({
  name: 'FeatherMask',
  displayName: 'FeatherMask',
  inputs: {
    mask: mask(),
    left: side(0, 0),
    top: side(0, 0),
    right: side(0, 0),
    bottom: side(0, 0),
  },
  run: ({ mask, left, top, right, bottom }) => [
    featherMask(batched(mask), { left, top, right, bottom }),
  ],
});

export const growMaskNode = defineMask({
  name: 'GrowMask',
  displayName: 'GrowMask',
  inputs: {
    mask: mask(),
    expand: side(-MAX, 0),
    tapered_corners: boolean({ default: true }),
  },
  run: ({ mask, expand, tapered_corners }) => [growMask(batched(mask), expand, tapered_corners)],
});

export const thresholdMask = defineMask({
  name: 'ThresholdMask',
  displayName: 'ThresholdMask',
  inputs: { mask: mask(), value: float({ default: 0.5, min: 0, max: 1, step: 0.01 }) },
  run: ({ mask, value }) => {
    // torch compares fp32 numbers with the fp32 neighbour of the threshold
    const threshold = Math.fround(value);
    return [
      nd(
        mask.data.map((v) => (v > threshold ? 1 : 0)),
        mask.shape,
      ),
    ];
  },
});

export const maskPreview = defineMask({
  name: 'MaskPreview',
  displayName: 'MaskPreview',
  description: 'Shows the input masks without keeping them.',
  inputs: { mask: mask() },
  hidden: workflowInputs,
  outputs: [{ type: 'MASK', name: 'mask' }],
  outputNode: true,
  run: async (inputs, context) => {
    const { ui } = await previewPictures(maskToImage(inputs.mask), inputs, context);
    return { result: [inputs.mask], ui };
  },
});

export const porterDuffImageComposite = defineCompositing({
  name: 'PorterDuffImageComposite',
  displayName: 'Porter-Duff Image Composite',
  inputs: {
    source: image({}),
    source_alpha: mask({}),
    destination: image({}),
    destination_alpha: mask({}),
    mode: combo(porterDuffModes, { default: 'DST', multiselect: false }),
  },
  outputs: [{ type: 'IMAGE' }, { type: 'MASK' }],
  run: ({ source, source_alpha, destination, destination_alpha, mode }) => {
    const all = [source, source_alpha, destination, destination_alpha];
    const count = Math.min(...all.map((x) => x.shape[0]));
    const [, h, w, channels] = destination.shape;
    // Everything takes the size of the destination; the batch is the smallest of the four.
    const picture = upscaleImage(rows(source, 0, count), w, h, 'bicubic', 'center');
    const fit = (x: NDArray): NDArray => resizeMask(rows(x, 0, count), w, h, 'bicubic', 'center');
    const result = porterDuff(
      { image: withChannels(picture, channels), mask: fit(source_alpha) },
      { image: rows(destination, 0, count), mask: fit(destination_alpha) },
      mode,
    );
    return [result.image, result.mask];
  },
});

export const splitImageWithAlpha = defineCompositing({
  name: 'SplitImageWithAlpha',
  displayName: 'Split Image with Alpha',
  inputs: { image: image({}) },
  outputs: [{ type: 'IMAGE' }, { type: 'MASK' }],
  run: ({ image }) => {
    const [b, h, w, channels] = image.shape;
    if (channels < 4) return [image, zeros([b, h, w])];
    const alpha = channelMask(image, 3);
    const transparent = nd(
      alpha.data.map((v) => 1 - v),
      alpha.shape,
    );
    return [withChannels(image, 3), transparent];
  },
});

export const joinImageWithAlpha = defineCompositing({
  name: 'JoinImageWithAlpha',
  displayName: 'Join Image with Alpha',
  inputs: { image: image({}), alpha: mask({}) },
  outputs: [{ type: 'IMAGE' }],
  run: ({ image, alpha }) => {
    const [, h, w] = image.shape;
    return [joinAlpha(image, resizeMask(batched(alpha), w, h, 'bilinear'))];
  },
});

export const maskNodes: readonly NodeDefinition[] = [
  maskToImageNode,
  imageToMask,
  imageColorToMask,
  solidMask,
  invertMask,
  cropMask,
  maskComposite,
  featherMaskNode,
  growMaskNode,
  thresholdMask,
  maskPreview,
  porterDuffImageComposite,
  splitImageWithAlpha,
  joinImageWithAlpha,
];
