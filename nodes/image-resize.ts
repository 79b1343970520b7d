/** Pictures and masks brought to a size by one of many rules, and cut. */
import { cropToMask } from '../engine/array/crop-to-mask.ts';
import { hexColour } from '../engine/array/hex-colour.ts';
import { type NDArray, reshape } from '../engine/array/nd.ts';
import { concat, repeatToBatch, rows } from '../engine/array/batch.ts';
import { cropImage, withChannels } from '../engine/array/rectangle.ts';
import { type UpscaleMethod, resizeMask, upscaleImage } from '../engine/array/resize.ts';
import { roundToInteger, toInteger } from '../engine/array/round.ts';
import { NoodleError } from '../engine/errors.ts';
import {
  combo,
  dynamicCombo,
  float,
  image,
  inModule,
  int,
  mask,
  matchType,
  socket,
} from '../engine/node.ts';
import type { InputSpec, NodeDefinition } from '../engine/node.ts';
import { previewPictures } from './image-io.ts';

const MAX = 16384;
const METHODS = ['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos'] as const;

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Target extends Size {
  readonly crop: 'disabled' | 'center';
}

/** How a target size follows from the size at hand; undefined leaves the picture as it is. */
interface Rule {
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly target: (from: Size, values: Readonly<Record<string, unknown>>) => Target | undefined;
}

const side = () => int({ default: 512, min: 0, max: MAX, step: 1 });
const crop = () => combo(['disabled', 'center'], { default: 'center' });
const whole = (width: number, height: number): Target => ({ width, height, crop: 'disabled' });
const scaled = ({ width, height }: Size, by: number): Target =>
  whole(roundToInteger(width * by), roundToInteger(height * by));

/** One side given; the other keeps the aspect ratio, and is 1 at least. */
function following({ width: w, height: h }: Size, width: number, height: number) {
  if (width === 0 && height === 0) return undefined;
  return {
    width: width || Math.max(1, roundToInteger((w * height) / h)),
    height: height || Math.max(1, roundToInteger((h * width) / w)),
  };
}

/** The longer (or shorter) side given; a square takes it for both. */
const edge = ({ width: w, height: h }: Size, size: number, isWidth: boolean): Target =>
  isWidth
    ? whole(size, roundToInteger((h / w) * size))
    : whole(roundToInteger((w / h) * size), size);

const RULES: Readonly<Record<string, Rule>> = {
  'scale dimensions': {
    inputs: { width: side(), height: side(), crop: crop() },
    target: (from, { width, height, crop }) => {
      const size = following(from, width as number, height as number);
      return size && { ...size, crop: crop as Target['crop'] };
    },
  },
  'scale by multiplier': {
    inputs: { multiplier: float({ default: 1, min: 0.01, max: 8, step: 0.01 }) },
    target: (from, { multiplier }) => scaled(from, multiplier as number),
  },
  'scale longer dimension': {
    inputs: { longer_size: side() },
    target: (from, { longer_size: size }) => edge(from, size as number, from.width >= from.height),
  },
  'scale shorter dimension': {
    inputs: { shorter_size: side() },
    target: (from, { shorter_size: size }) => edge(from, size as number, from.width <= from.height),
  },
  'scale width': {
    inputs: { width: side() },
    target: (from, { width }) => {
      const size = following(from, width as number, 0);
      return size && whole(size.width, size.height);
    },
  },
  'scale height': {
    inputs: { height: side() },
    target: (from, { height }) => {
      const size = following(from, 0, height as number);
      return size && whole(size.width, size.height);
    },
  },
  'scale total pixels': {
    inputs: { megapixels: float({ default: 1, min: 0.01, max: 16, step: 0.01 }) },
    target: (from, { megapixels }) => {
      const total = toInteger((megapixels as number) * 1024 * 1024);
      return scaled(from, Math.sqrt(total / (from.width * from.height)));
    },
  },
  'match size': {
    inputs: { match: socket('IMAGE,MASK', {}, ['shape', 'data']), crop: crop() },
    target: (_, { match, crop }) => {
      const [, height, width] = (match as NDArray).shape;
      return { width, height, crop: crop as Target['crop'] };
    },
  },
  'scale to multiple': {
    inputs: { multiple: int({ default: 8, min: 1, max: MAX, step: 1 }) },
    target: ({ width: w, height: h }, { multiple }) => {
      const [width, height] = [w, h].map((v) => v - (v % (multiple as number)));
      return width === 0 || height === 0 ? undefined : whole(width, height);
    },
  },
};

/** A picture [b, h, w, c] or mask [b, h, w] at a size. */
function resized(x: NDArray, { width, height, crop }: Target, method: UpscaleMethod): NDArray {
  if (x.shape.length === 4) return upscaleImage(x, width, height, method, crop);
  const [b, h, w] = x.shape;
  const picture = upscaleImage(reshape(x, [b, h, w, 1]), width, height, method, crop);
  return reshape(picture, [b, height, width]);
}

/** The smallest size of the same aspect ratio that covers the target, then its middle. */
function cover(x: NDArray, { width, height }: Target, method: UpscaleMethod): NDArray {
  const [, h, w] = x.shape;
  if (width === w && height === h) return x;
  const isWide = width / w >= height / h;
  const to = isWide
    ? { width, height: Math.max(height, Math.ceil(h * (width / w))) }
    : { width: Math.max(width, Math.ceil(w * (height / h))), height };
  const all = resized(x, { ...to, crop: 'disabled' }, method);
  const planes = reshape(all, [all.shape[0], to.height, to.width, all.shape[3] ?? 1]);
  const left = Math.floor((to.width - width) / 2);
  const top = Math.floor((to.height - height) / 2);
  const cut = cropImage(planes, { left, top, width, height });
  return reshape(cut, [cut.shape[0], height, width, ...x.shape.slice(3)]);
}

export const resizeImageMask = inModule(
  'comfy_extras.nodes_post_processing',
  'v3',
)({
  name: 'ResizeImageMaskNode',
  displayName: 'Resize Image/Mask',
  category: 'image/transform',
  description: 'Brings pictures or masks to a size that is given in one of many ways.',
  inputs: {
    input: matchType<NDArray>('input_type', 'IMAGE,MASK'),
    resize_type: dynamicCombo(Object.entries(RULES).map(([key, { inputs }]) => ({ key, inputs }))),
    scale_method: combo(METHODS, { default: 'area' }),
  },
  outputs: [{ type: 'COMFY_MATCHTYPE_V3', name: 'resized', matchType: 'input_type' }],
  run: ({ input, resize_type: values, scale_method }) => {
    const kind = String(values.resize_type);
    if (!Object.hasOwn(RULES, kind)) {
      const expected = `one of ${Object.keys(RULES).join(', ')}`;
      throw new NoodleError('BAD_INPUT', { subject: 'resize_type', expected, got: kind });
    }
    const [, height, width] = input.shape;
    const target = RULES[kind].target({ width, height }, values);
    if (target === undefined) return [input];
    const fit = kind === 'scale to multiple' ? cover : resized;
    return [fit(input, target, scale_method)];
  },
});

const defineImages = inModule('comfy_extras.nodes_images', 'v3', {
  category: 'image/transform',
  outputs: [{ type: 'IMAGE' }],
});

/** `{ x, y, width, height }` in pixels; what is missing has these values. */
const WHOLE_BOX = { x: 0, y: 0, width: 512, height: 512 };

export const imageCropV2 = defineImages({
  name: 'ImageCropV2',
  displayName: 'Crop Image',
  description: 'Cuts a rectangle out of pictures.',
  essentialsCategory: 'Image Tools',
  hasIntermediateOutput: true,
  inputs: {
    image: image({}),
    crop_region: socket<Partial<typeof WHOLE_BOX>>(
      'BOUNDING_BOX',
      { default: WHOLE_BOX, socketless: true, component: 'ImageCrop' },
      [],
    ),
  },
  run: async ({ image, crop_region }, context) => {
    const { x, y, width, height } = { ...WHOLE_BOX, ...crop_region };
    const [, h, w] = image.shape;
    if (
      ![x, y, width, height].every(Number.isInteger) ||
      Math.min(x, y) < 0 ||
      Math.min(width, height) < 1
    ) {
      const expected = 'x and y from 0, width and height from 1, in whole pixels';
      throw new NoodleError('BAD_INPUT', {
        subject: 'crop_region',
        expected,
        got: { ...crop_region },
      });
    }
    const box = { left: Math.min(x, w - 1), top: Math.min(y, h - 1), width, height };
    const cut = cropImage(image, box);
    const shown = await previewPictures(cut, {}, context);
    return { result: [cut], ui: shown.ui };
  },
});

export const imageCropToMask = defineImages({
  name: 'ImageCropToMask',
  displayName: 'Crop Image to Mask',
  description: 'What a mask covers, centred on a plain background and scaled to one size.',
  inputs: {
    images: image({}),
    masks: mask({}),
    width: int({ default: 1024, min: 64, max: 4096, step: 8 }),
    height: int({ default: 1024, min: 64, max: 4096, step: 8 }),
    pad_factor: float({ default: 1, min: 1, max: 2, step: 0.01 }),
    grow_mask: int({ default: 0, min: -32, max: 32, step: 1 }),
    background: socket<string>('COLOR', { default: '#000000', socketless: true }),
  },
  outputs: [{ type: 'IMAGE', name: 'images' }],
  run: ({ images, masks, width, height, pad_factor, grow_mask, background }, context) => {
    const [count, h, w] = images.shape;
    if (masks.shape[0] !== 1 && masks.shape[0] !== count) {
      const expected = `1 or ${count} masks, as many as pictures`;
      throw new NoodleError('BAD_INPUT', { subject: 'masks', expected, got: masks.shape[0] });
    }
    const fits = masks.shape[1] === h && masks.shape[2] === w;
    const covers = repeatToBatch(fits ? masks : resizeMask(masks, w, h, 'bilinear'), count);
    const colour = (hexColour(String(background)) ?? [0, 0, 0]).map((v) => v / 255);
    const options = { width, height, padding: pad_factor, grow: grow_mask, background: colour };
    const pictures = withChannels(images, 3);
    return [
      concat(
        Array.from({ length: count }, (_, i) => {
          context.progress(i, count);
          return cropToMask(rows(pictures, i, i + 1), rows(covers, i, i + 1), options);
        }),
      ),
    ];
  },
});

export const imageResizeNodes: readonly NodeDefinition[] = [
  resizeImageMask,
  imageCropV2,
  imageCropToMask,
];
