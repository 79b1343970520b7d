/** Pictures measured, cut, turned and recoloured: essentials, KJNodes, rgthree, Impact Pack, ControlNet aux. */
import {
  combo,
  cropImage,
  float,
  image,
  int,
  latent,
  mask,
  nd,
  optional,
  rows,
  concat,
  roundHalfEven,
} from 'noodle/node';
import type { Image, NDArray, NodeDefinition } from 'noodle/node';
import { MAX_RESOLUTION, anything, inCategory } from './define.ts';
import { isArray, isLatent } from './numbers.ts';

const manipulation = inCategory('essentials/image manipulation');
const processing = inCategory('essentials/image processing');
const kj = inCategory('KJNodes/image');

const ints = (...names: string[]) => names.map((name) => ({ type: 'INT', name }));

/** x with the axes (of a picture or mask) in `axes` reversed. */
export function flipped({ data, shape }: NDArray, axes: string): NDArray {
  const [b, h, w, c = 1] = shape;
  const out = new Float32Array(data.length);
  for (let n = 0, to = 0; n < b; n++) {
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++, to += c) {
        const row = axes.includes('y') ? h - 1 - y : y;
        const column = axes.includes('x') ? w - 1 - x : x;
        const from = ((n * h + row) * w + column) * c;
        for (let k = 0; k < c; k++) out[to + k] = data[from + k];
      }
    }
  }
  return nd(out, shape);
}

/** Every pixel's grey value, [b, h, w, c] -> b·h·w numbers. */
function greys({ data, shape }: Image, grey: (pixel: Float32Array) => number): Float32Array {
  const c = shape[3];
  return Float32Array.from({ length: data.length / c }, (_, i) =>
    grey(data.subarray(i * c, (i + 1) * c)),
  );
}

const mean = (pixel: Float32Array): number => pixel.reduce((sum, v) => sum + v, 0) / pixel.length;

const GREYS = {
  'luminance (Rec.709)': ([r, g, b]: Float32Array) => 0.2126 * r + 0.7152 * g + 0.0722 * b,
  'luminance (Rec.601)': ([r, g, b]: Float32Array) => 0.299 * r + 0.587 * g + 0.114 * b,
  average: mean,
  lightness: (pixel: Float32Array) => (Math.max(...pixel) + Math.min(...pixel)) / 2,
} as const;

/** Contrast-adaptive sharpening (AMD FidelityFX CAS) as essentials computes it; the border is black. */
function sharpened(x: Image, amount: number): Image {
  const [batch, h, w, c] = x.shape;
  const out = new Float32Array(x.data.length);
  const at = (n: number, y: number, i: number, k: number): number =>
    y < 0 || y >= h || i < 0 || i >= w ? 0 : x.data[((n * h + y) * w + i) * c + k];
  for (let n = 0, to = 0; n < batch; n++) {
    for (let y = 0; y < h; y++) {
      for (let i = 0; i < w; i++) {
        for (let k = 0; k < c; k++, to++) {
          const e = at(n, y, i, k);
          const cross = [
            at(n, y - 1, i, k),
            at(n, y, i - 1, k),
            at(n, y, i + 1, k),
            at(n, y + 1, i, k),
          ];
          const diagonal = [
            ...[at(n, y - 1, i - 1, k), at(n, y - 1, i + 1, k)],
            ...[at(n, y + 1, i - 1, k), at(n, y + 1, i + 1, k)],
          ];
          const low = Math.max(0, Math.min(e, ...cross)) + Math.max(0, Math.min(...diagonal));
          const high = Math.min(1, Math.max(e, ...cross)) + Math.min(1, Math.max(...diagonal));
          const amplitude = Math.sqrt(Math.min(low, 2 - high) / (high + 1e-5));
          const weight = -amplitude * (amount * (1 / 5 - 1 / 8) + 1 / 8);
          const sum = cross[0] + cross[1] + cross[2] + cross[3];
          out[to] = Math.min(1, Math.max(0, (sum * weight + e) / (1 + 4 * weight)));
        }
      }
    }
  }
  return nd(out, x.shape);
}

const POSITIONS = [
  ...['top-left', 'top-center', 'top-right', 'right-center', 'bottom-right'],
  ...['bottom-center', 'bottom-left', 'left-center', 'center'],
] as const;

/** The left or top edge of a cut of `length` in `whole`. */
function edge(position: string, [first, last]: [string, string], whole: number, length: number) {
  if (position.includes(first)) return 0;
  if (position.includes(last)) return whole - length;
  return roundHalfEven((whole - length) / 2);
}

const manipulations: readonly NodeDefinition[] = [
  manipulation({
    name: 'ImageFlip+',
    displayName: '🔧 Image Flip',
    inputs: { image: image(), axis: combo(['x', 'y', 'xy'] as const) },
    outputs: [{ type: 'IMAGE' }],
    run: ({ image, axis }) => [flipped(image, axis)],
  }),
  manipulation({
    name: 'ImageCrop+',
    displayName: '🔧 Image Crop',
    inputs: {
      image: image(),
      width: int({ default: 256, min: 0, max: MAX_RESOLUTION, step: 8 }),
      height: int({ default: 256, min: 0, max: MAX_RESOLUTION, step: 8 }),
      position: combo(POSITIONS),
      x_offset: int({ default: 0, min: -99999, step: 1 }),
      y_offset: int({ default: 0, min: -99999, step: 1 }),
    },
    outputs: [{ type: 'IMAGE', name: 'IMAGE' }, ...ints('x', 'y')],
    run({ image, position, x_offset, y_offset, ...asked }) {
      const [, oh, ow] = image.shape;
      const [width, height] = [Math.min(ow, asked.width), Math.min(oh, asked.height)];
      const left = edge(position, ['left', 'right'], ow, width) + x_offset;
      const top = edge(position, ['top', 'bottom'], oh, height) + y_offset;
      const [x, y] = [Math.max(0, left), Math.max(0, top)];
      const kept = { left: x, top: y, width: left + width - x, height: top + height - y };
      return [cropImage(image, kept), x, y];
    },
  }),
  inCategory('rgthree')({
    name: 'Image Inset Crop (rgthree)',
    inputs: {
      image: image(),
      measurement: combo(['Pixels', 'Percentage'] as const),
      left: int({ default: 0, min: 0, max: MAX_RESOLUTION, step: 8 }),
      right: int({ default: 0, min: 0, max: MAX_RESOLUTION, step: 8 }),
      top: int({ default: 0, min: 0, max: MAX_RESOLUTION, step: 8 }),
      bottom: int({ default: 0, min: 0, max: MAX_RESOLUTION, step: 8 }),
    },
    outputs: [{ type: 'IMAGE' }],
    run({ image, measurement, left, right, top, bottom }) {
      const [, h, w] = image.shape;
      const inset = (value: number, whole: number): number => {
        const pixels =
          measurement === 'Percentage' ? Math.trunc(whole - (whole * (100 - value)) / 100) : value;
        return Math.floor(pixels / 8) * 8;
      };
      const [l, r, t, b] = [inset(left, w), inset(right, w), inset(top, h), inset(bottom, h)];
      return [cropImage(image, { left: l, top: t, width: w - l - r, height: h - t - b })];
    },
  }),
];

const colours: readonly NodeDefinition[] = [
  processing({
    name: 'ImageDesaturate+',
    displayName: '🔧 Image Desaturate',
    inputs: {
      image: image(),
      factor: float({ default: 1, min: 0, max: 1, step: 0.05 }),
      method: combo(Object.keys(GREYS) as (keyof typeof GREYS)[]),
    },
    outputs: [{ type: 'IMAGE' }],
    run({ image, factor, method }) {
      const grey = greys(image, GREYS[method]);
      const c = image.shape[3];
      const data = image.data.map((v, i) => {
        const mixed = (1 - factor) * v + factor * grey[Math.floor(i / c)];
        return Math.min(1, Math.max(0, mixed));
      });
      return [nd(data, image.shape)];
    },
  }),
  processing({
    name: 'ImagePosterize+',
    displayName: '🔧 Image Posterize',
    inputs: { image: image(), threshold: float({ default: 0.5, min: 0, max: 1, step: 0.05 }) },
    outputs: [{ type: 'IMAGE' }],
    run({ image: { data, shape }, threshold }) {
      const grey = greys(nd(data, shape), mean);
      const out = Float32Array.from({ length: grey.length * 3 }, (_, i) =>
        Number(grey[Math.floor(i / 3)] > threshold),
      );
      return [nd(out, [...shape.slice(0, 3), 3])];
    },
  }),
  processing({
    name: 'ImageCASharpening+',
    displayName: '🔧 Image Contrast Adaptive Sharpening',
    inputs: { image: image(), amount: float({ default: 0.8, min: 0n, max: 1n, step: 0.05 }) },
    outputs: [{ type: 'IMAGE' }],
    run: ({ image, amount }) => [sharpened(image, amount)],
  }),
];

const sizes: readonly NodeDefinition[] = [
  inCategory('essentials/image utils')({
    name: 'GetImageSize+',
    displayName: '🔧 Get Image Size',
    inputs: { image: image() },
    outputs: ints('width', 'height', 'count'),
    run: ({ image: { shape } }) => [shape[2], shape[1], shape[0]],
  }),
  kj({
    name: 'GetImageSizeAndCount',
    displayName: 'Get Image Size & Count',
    inputs: { image: image() },
    outputs: [{ type: 'IMAGE', name: 'image' }, ...ints('width', 'height', 'count')],
    run({ image }) {
      const [count, height, width] = image.shape;
      return {
        ui: { text: [`${count}x${width}x${height}`] },
        result: [image, width, height, count],
      };
    },
  }),
  inCategory('KJNodes/masking')({
    name: 'GetMaskSizeAndCount',
    displayName: 'Get Mask Size & Count',
    inputs: { mask: mask() },
    outputs: [{ type: 'MASK', name: 'mask' }, ...ints('width', 'height', 'count')],
    run({ mask }) {
      const [count, height, width] = mask.shape;
      return {
        ui: { text: [`${count}x${width}x${height}`] },
        result: [mask, width, height, count],
      };
    },
  }),
  inCategory('ImpactPack/Logic/_for_test')({
    name: 'ImpactImageInfo',
    inputs: { value: image() },
    outputs: ints('batch', 'height', 'width', 'channel'),
    run: ({ value }) => [...value.shape],
  }),
  inCategory('ImpactPack/Logic/_for_test')({
    name: 'ImpactLatentInfo',
    inputs: { value: latent() },
    outputs: ints('batch', 'height', 'width', 'channel'),
    run({ value: { samples } }) {
      const [batch, channels, height, width] = samples.shape;
      return [batch, height * 8, width * 8, channels];
    },
  }),
  inCategory('rgthree')({
    name: 'Image or Latent Size (rgthree)',
    inputs: {},
    acceptAllInputs: true,
    outputs: ints('WIDTH', 'HEIGHT'),
    run({ input }) {
      if (isLatent(input)) return [input.samples.shape[3] * 8, input.samples.shape[2] * 8];
      if (isArray(input)) return [input.shape[2], input.shape[1]];
      throw new TypeError('input: expected an IMAGE, MASK or LATENT');
    },
  }),
  inCategory('essentials/utilities')({
    name: 'BatchCount+',
    displayName: '🔧 Batch Count',
    inputs: { batch: anything({}) },
    outputs: [{ type: 'INT' }],
    run({ batch }) {
      if (isArray(batch)) return [batch.shape[0]];
      if (isLatent(batch)) return [batch.samples.shape[0]];
      if (typeof batch !== 'object' || batch === null) return [0];
      return [Array.isArray(batch) ? batch.length : Object.keys(batch).length];
    },
  }),
  inCategory('ControlNet Preprocessors')({
    name: 'PixelPerfectResolution',
    displayName: 'Pixel Perfect Resolution',
    inputs: {
      original_image: image(),
      image_gen_width: int({ default: 512, min: 64, max: 8192, step: 8 }),
      image_gen_height: int({ default: 512, min: 64, max: 8192, step: 8 }),
      resize_mode: combo(['Just Resize', 'Crop and Resize', 'Resize and Fill'] as const, {
        default: 'Just Resize',
      }),
    },
    outputs: ints('RESOLUTION (INT)'),
    run({ original_image: { shape }, image_gen_width, image_gen_height, resize_mode }) {
      const ratios = [image_gen_height / shape[1], image_gen_width / shape[2]];
      const ratio = resize_mode === 'Resize and Fill' ? Math.min(...ratios) : Math.max(...ratios);
      return [roundHalfEven(ratio * Math.min(shape[1], shape[2]))];
    },
  }),
];

/** Rows [start, start + count) of a batch; −1 starts so that the last ones are taken. */
function range(x: NDArray, start: number, count: number, what: string): NDArray {
  const first = start === -1 ? Math.max(0, x.shape[0] - count) : start;
  if (first >= x.shape[0]) {
    throw new RangeError(`start_index: expected less than ${x.shape[0]} ${what}, got ${start}`);
  }
  return rows(x, first, Math.min(first + count, x.shape[0]));
}

const batches: readonly NodeDefinition[] = [
  kj({
    name: 'GetImageRangeFromBatch',
    displayName: 'Get Image or Mask Range From Batch',
    inputs: {
      start_index: int({ default: 0, min: -1, max: 4096, step: 1 }),
      num_frames: int({ default: 1, min: 1, max: 4096, step: 1 }),
      images: optional(image()),
      masks: optional(mask()),
    },
    outputs: [{ type: 'IMAGE' }, { type: 'MASK' }],
    run: ({ start_index, num_frames, images, masks }) => [
      images === undefined ? null : range(images, start_index, num_frames, 'images'),
      masks === undefined ? null : range(masks, start_index, num_frames, 'masks'),
    ],
  }),
  kj({
    name: 'ReverseImageBatch',
    displayName: 'Reverse Image Batch',
    inputs: { images: image() },
    outputs: [{ type: 'IMAGE' }],
    run({ images }) {
      const one = (i: number): Image => rows(images, i, i + 1);
      return [
        concat(Array.from({ length: images.shape[0] }, (_, i) => one(images.shape[0] - 1 - i))),
      ];
    },
  }),
  kj({
    name: 'ImagePass',
    inputs: { image: optional(image()) },
    outputs: [{ type: 'IMAGE' }],
    run: ({ image = null }) => [image],
  }),
];

export const imageNodes: readonly NodeDefinition[] = [
  ...manipulations,
  ...colours,
  ...sizes,
  ...batches,
];
