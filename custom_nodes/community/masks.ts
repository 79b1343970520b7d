/** Masks: essentials and KJNodes. */
import {
  blurImage,
  boolean,
  combo,
  concat,
  cropImage,
  cropPlanes,
  float,
  growMask,
  image,
  int,
  map,
  mask,
  nd,
  optional,
  repeatToBatch,
  reshape,
  resizeMask,
  roundHalfEven,
  rows,
  string,
  upscaleImage,
  zip,
} from 'noodle/node';
import type { CropMode, Image, Mask, NodeDefinition, Rectangle, UpscaleMethod } from 'noodle/node';
import { blurBytes } from './box-blur.ts';
import { MAX_RESOLUTION, inCategory, numbered } from './define.ts';
import { filled } from './fill-holes.ts';
import { flipped } from './images.ts';
import { isArray } from './numbers.ts';
import { colourOf } from './resize-kj.ts';

const essentials = inCategory('essentials/mask');
const kj = inCategory('KJNodes/masking');

const METHODS = ['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos'] as const;

const asPicture = (x: Mask): Image => reshape(x, [...x.shape, 1]);
const asMask = (x: Image): Mask => reshape(x, x.shape.slice(0, 3));

const scaledMask = (
  x: Mask,
  [width, height]: readonly number[],
  method: UpscaleMethod,
  crop: CropMode,
) => asMask(upscaleImage(asPicture(x), width, height, method, crop));

/** torchvision's gaussian_blur with an odd kernel of `size`, or the next larger one. */
function blurred(x: Mask, size: number): Mask {
  const radius = Math.floor(size / 2);
  if (radius === 0) return x;
  const sigma = 0.3 * (radius - 1) + 0.8;
  // blurImage's sigma is relative to the radius.
  return asMask(blurImage(asPicture(x), radius, sigma / radius));
}

/** The rectangle around everything above 0 in a batch of masks; undefined when there is nothing. */
export function boundsOf({ data, shape: [, h, w] }: Mask): Rectangle | undefined {
  let [left, top, right, bottom] = [w, h, -1, -1];
  data.forEach((v, i) => {
    if (v === 0) return;
    const [x, y] = [i % w, Math.floor(i / w) % h];
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  });
  if (right < 0) return undefined;
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

const essentialsNodes: readonly NodeDefinition[] = [
  essentials({
    name: 'MaskBlur+',
    displayName: '🔧 Mask Blur',
    inputs: {
      mask: mask(),
      amount: int({ default: 6, min: 0, max: 256, step: 1 }),
      device: combo(['auto', 'cpu', 'gpu'] as const),
    },
    outputs: [{ type: 'MASK' }],
    run: ({ mask, amount }) => [blurred(mask, amount)],
  }),
  essentials({
    name: 'MaskFlip+',
    displayName: '🔧 Mask Flip',
    inputs: { mask: mask(), axis: combo(['x', 'y', 'xy'] as const) },
    outputs: [{ type: 'MASK' }],
    run: ({ mask, axis }) => [flipped(mask, axis)],
  }),
  essentials({
    name: 'MaskFromColor+',
    displayName: '🔧 Mask From Color',
    inputs: {
      image: image(),
      red: int({ default: 255, min: 0, max: 255, step: 1 }),
      green: int({ default: 255, min: 0, max: 255, step: 1 }),
      blue: int({ default: 255, min: 0, max: 255, step: 1 }),
      threshold: int({ default: 0, min: 0, max: 127, step: 1 }),
    },
    outputs: [{ type: 'MASK' }],
    run({ image: { data, shape }, red, green, blue, threshold }) {
      const c = shape[3];
      const out = Float32Array.from({ length: data.length / c }, (_, i) =>
        Number(
          [red, green, blue].every((wanted, k) => {
            const byte = roundHalfEven(
              Math.fround(Math.min(1, Math.max(0, data[i * c + k])) * 255),
            );
            return Math.abs(byte - wanted) <= threshold;
          }),
        ),
      );
      return [nd(out, shape.slice(0, 3))];
    },
  }),
  inCategory('essentials/mask batch')({
    name: 'MaskBatch+',
    displayName: '🔧 Mask Batch',
    inputs: { mask1: mask(), mask2: mask() },
    outputs: [{ type: 'MASK' }],
    run({ mask1, mask2 }) {
      const [, h, w] = mask1.shape;
      const same = mask2.shape[1] === h && mask2.shape[2] === w;
      return [concat([mask1, same ? mask2 : resizeMask(mask2, w, h, 'bicubic', 'center')])];
    },
  }),
  essentials({
    name: 'MaskBoundingBox+',
    displayName: '🔧 Mask Bounding Box',
    inputs: {
      mask: mask(),
      padding: int({ default: 0, min: 0, max: 4096, step: 1 }),
      blur: int({ default: 0, min: 0, max: 256, step: 1 }),
      image_optional: optional(image()),
    },
    outputs: [
      { type: 'MASK', name: 'MASK' },
      { type: 'IMAGE', name: 'IMAGE' },
      ...['x', 'y', 'width', 'height'].map((name) => ({ type: 'INT', name })),
    ],
    run({ mask, padding, blur, image_optional }) {
      const [batch, h, w] = mask.shape;
      const picture =
        image_optional ?? concat([asPicture(mask), asPicture(mask), asPicture(mask)], 3);
      const sized =
        picture.shape[1] === h && picture.shape[2] === w
          ? picture
          : upscaleImage(picture, w, h, 'bicubic', 'center');
      const soft = blurred(mask, blur);
      const box = boundsOf(soft);
      if (box === undefined) throw new RangeError('mask: expected something above 0, got nothing');
      const [left, top] = [Math.max(0, box.left - padding), Math.max(0, box.top - padding)];
      const width = Math.min(w, box.left + box.width + padding) - left;
      const height = Math.min(h, box.top + box.height + padding) - top;
      const frame = { left, top, width, height };
      const cut = cropImage(lastRepeated(sized, batch), frame);
      return [cropPlanes(soft, frame), cut, left, top, width, height];
    },
  }),
];

/** As many pictures as `count`: the first ones, or the last one again and again. */
function lastRepeated(x: Image, count: number): Image {
  const [have] = x.shape;
  if (have >= count) return rows(x, 0, count);
  return concat([x, repeatToBatch(rows(x, have - 1, have), count - have)]);
}

interface Growth {
  readonly expand: number;
  readonly rate: number;
  readonly tapered: boolean;
  readonly alpha: number;
  readonly decay: number;
  readonly fill: boolean;
}

/** Masks grown one by one, each by `rate` more than the one before, mixed with the result before. */
function grown(x: Mask, { expand, rate, tapered, alpha, decay, fill }: Growth): Mask {
  const out: Mask[] = [];
  let by = expand;
  for (let i = 0; i < x.shape[0]; i++) {
    let one = growMask(rows(x, i, i + 1), roundHalfEven(by), tapered);
    by += by < 0 ? -Math.abs(rate) : Math.abs(rate);
    if (fill) one = filled(one);
    const before = out.at(-1);
    if (before !== undefined) {
      if (alpha < 1) one = zip(one, before, (v, old) => alpha * v + (1 - alpha) * old);
      if (decay < 1) {
        const sum = zip(one, before, (v, old) => v + decay * old);
        const largest = sum.data.reduce((most, v) => Math.max(most, v), 0);
        one = map(sum, (v) => v / largest);
      }
    }
    out.push(one);
  }
  return concat(out);
}

/** The bounding box of each mask in blocks of about `size`; those with content are filled. */
function blockified(x: Mask, size: number): Mask {
  const [batch, h, w] = x.shape;
  const out = new Float32Array(x.data.length);
  for (let n = 0; n < batch; n++) {
    const box = boundsOf(map(rows(x, n, n + 1), (v) => Math.max(0, v)));
    if (box === undefined) continue;
    const [columns, lines] = [box.width, box.height].map((n) => Math.max(1, Math.floor(n / size)));
    const [wide, high] = [Math.floor(box.width / columns), Math.floor(box.height / lines)];
    const content = new Float32Array(columns * lines);
    const blockOf = (y: number, i: number): number =>
      Math.min(lines - 1, Math.floor(y / high)) * columns +
      Math.min(columns - 1, Math.floor(i / wide));
    const each = (visit: (at: number, block: number) => void): void => {
      for (let y = 0; y < box.height; y++) {
        for (let i = 0; i < box.width; i++) {
          visit((n * h + box.top + y) * w + box.left + i, blockOf(y, i));
        }
      }
    };
    each((at, block) => (content[block] += x.data[at]));
    each((at, block) => (out[at] = Number(content[block] > 0)));
  }
  return nd(out, x.shape);
}

/** Paints a colour, with alpha where it has one, where the mask is. */
function painted(x: Image, mask: Mask, [r, g, b, alpha = 1]: readonly number[]): Image {
  const [batch, h, w, c] = x.shape;
  const fits = mask.shape[1] === h && mask.shape[2] === w;
  const weights = repeatToBatch(fits ? mask : resizeMask(mask, w, h, 'nearest-exact'), batch);
  const colour = [r, g, b];
  const data = x.data.map((v, i) => {
    const weight = weights.data[Math.floor(i / c)] * alpha;
    const k = i % c;
    return k === 3 ? Math.max(v, weight) : v * (1 - weight) + (colour[k] ?? 0) * weight;
  });
  return nd(data, x.shape);
}

/** `255, 0, 0, 128`, `1.0, 0, 0` or `#ff0000`: each channel above 1 is of 255. */
function paint(text: string): number[] {
  if (text.trim().startsWith('#')) return colourOf(text);
  const values = text.split(',').map(Number);
  if (values.length >= 3 && values.every(Number.isFinite))
    return values.map((v) => (v > 1 ? v / 255 : v));
  throw new RangeError(`color: expected '255, 0, 0' or '#ff0000', got '${text}'`);
}

const device = () => optional(combo(['cpu', 'gpu'] as const, { default: 'cpu' }));

const kjNodes: readonly NodeDefinition[] = [
  kj({
    name: 'GrowMaskWithBlur',
    displayName: 'Grow Mask With Blur',
    inputs: {
      mask: mask(),
      expand: int({ default: 0, min: -MAX_RESOLUTION, max: MAX_RESOLUTION, step: 1 }),
      incremental_expandrate: float({ default: 0, min: 0, max: 100, step: 0.1 }),
      tapered_corners: boolean({ default: true }),
      flip_input: boolean({ default: false }),
      blur_radius: float({ default: 0, min: 0, max: 100n, step: 0.1 }),
      lerp_alpha: float({ default: 1, min: 0, max: 1, step: 0.01 }),
      decay_factor: float({ default: 1, min: 0, max: 1, step: 0.01 }),
      fill_holes: optional(boolean({ default: false })),
    },
    outputs: ['mask', 'mask_inverted'].map((name) => ({ type: 'MASK', name })),
    run({ mask, expand, tapered_corners, flip_input, blur_radius, fill_holes = false, ...more }) {
      const out = grown(flip_input ? map(mask, (v) => 1 - v) : mask, {
        expand,
        rate: more.incremental_expandrate,
        tapered: tapered_corners,
        alpha: more.lerp_alpha,
        decay: more.decay_factor,
        fill: fill_holes,
      });
      const soft = blur_radius === 0 ? out : blurBytes(out, blur_radius);
      return [soft, map(soft, (v) => 1 - v)];
    },
  }),
  kj({
    name: 'BlockifyMask',
    displayName: 'Blockify Mask',
    inputs: {
      masks: mask(),
      block_size: int({ default: 32, min: 8, max: 512, step: 1 }),
      device: device(),
    },
    outputs: [{ type: 'MASK', name: 'mask' }],
    run: ({ masks, block_size }) => [blockified(masks, block_size)],
  }),
  kj({
    name: 'DrawMaskOnImage',
    displayName: 'Draw Mask On Image',
    inputs: {
      image: image(),
      mask: mask(),
      color: string({ default: '0, 0, 0' }),
      device: device(),
    },
    outputs: [{ type: 'IMAGE', name: 'images' }],
    run: ({ image, mask, color }) => [painted(image, mask, paint(color))],
  }),
  kj({
    name: 'MaskBatchMulti',
    displayName: 'Mask Batch Multi',
    inputs: {
      inputcount: int({ default: 2, min: 2, max: 1000, step: 1 }),
      mask_1: mask(),
      mask_2: mask(),
    },
    acceptAllInputs: true,
    outputs: [{ type: 'MASK', name: 'masks' }],
    run({ inputcount, mask_1, ...rest }) {
      const [, h, w] = mask_1.shape;
      const others = [...numbered(rest, 'mask_')]
        .filter(([n]) => n <= inputcount)
        .map(([, value]) => value)
        .filter(isArray)
        .map((x) => (x.shape[1] === h && x.shape[2] === w ? x : resizeMask(x, w, h, 'bicubic')));
      return [concat([mask_1, ...others])];
    },
  }),
  kj({
    name: 'ResizeMask',
    displayName: 'Resize Mask',
    inputs: {
      mask: mask(),
      width: int({ default: 512, min: 0, max: MAX_RESOLUTION, step: 1, display: 'number' }),
      height: int({ default: 512, min: 0, max: MAX_RESOLUTION, step: 1, display: 'number' }),
      keep_proportions: boolean({ default: false }),
      upscale_method: combo(METHODS),
      crop: combo(['disabled', 'center'] as const),
    },
    outputs: [
      { type: 'MASK', name: 'mask' },
      { type: 'INT', name: 'width' },
      { type: 'INT', name: 'height' },
    ],
    run({ mask, width, height, keep_proportions, upscale_method, crop }) {
      const [, h, w] = mask.shape;
      const ratio = Math.min((width || w) / w, (height || h) / h);
      const size = keep_proportions ? [w, h].map((n) => roundHalfEven(n * ratio)) : [width, height];
      return [scaledMask(mask, size, upscale_method, crop), ...size];
    },
  }),
  kj({
    name: 'RemapMaskRange',
    displayName: 'Remap Mask Range',
    inputs: {
      mask: mask(),
      min: float({ default: 0, min: -10, max: 1, step: 0.01 }),
      max: float({ default: 1, min: 0, max: 10, step: 0.01 }),
    },
    outputs: [{ type: 'MASK', name: 'mask' }],
    run({ mask, min, max }) {
      const largest = mask.data.reduce((most, v) => Math.max(most, v), 0) || 1;
      return [map(mask, (v) => Math.min(1, Math.max(0, (v / largest) * (max - min) + min)))];
    },
  }),
  kj({
    name: 'RoundMask',
    displayName: 'Round Mask',
    inputs: { mask: mask() },
    outputs: [{ type: 'MASK' }],
    run: ({ mask }) => [map(mask, roundHalfEven)],
  }),
];

export const maskNodes: readonly NodeDefinition[] = [...essentialsNodes, ...kjNodes];
