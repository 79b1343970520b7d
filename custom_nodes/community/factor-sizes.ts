/** Pictures and latents by a factor or to a side: WAS, Omar92, Derfuu. */
import {
  combo,
  commonUpscale,
  float,
  image,
  int,
  latent,
  nd,
  pillowImage,
  roundHalfEven,
  upscaleImage,
} from 'noodle/node';
import type { CropMode, Image, Latent, NDArray, NodeDefinition, UpscaleMethod } from 'noodle/node';
import { inCategory } from './define.ts';
import { unbounded } from './shared-inputs.ts';

const was = inCategory('WAS Suite/Image/Transform');
const omarLatent = inCategory('O/latent');
const omarImage = inCategory('O/image');
const derfuuImage = inCategory('Derfuu_Nodes/Modded nodes/Image');
const derfuuLatent = inCategory('Derfuu_Nodes/Modded nodes/Latent');

const METHODS = ['nearest-exact', 'bilinear', 'area'] as const;
const CROPS = ['disabled', 'center'] as const;
const TOGGLE = ['enabled', 'disabled'] as const;

/** Omar92's largest side. */
const LARGEST = 8192;

/** To the nearest multiple of 8, halves upwards. */
const multipleOf8 = (side: number): number => {
  const rest = side % 8;
  return rest < 4 ? side - rest : side + 8 - rest;
};

const factor = () => float({ default: 1.25, min: 0, max: 10, step: 0.28125 });

const scaledLatent = (
  x: Latent,
  [width, height]: readonly [number, number],
  method: UpscaleMethod,
  crop: CropMode,
): Latent => ({ ...x, samples: commonUpscale(x.samples, width, height, method, crop) });

const sidesOf = ({ shape }: NDArray): [width: number, height: number] => [
  shape.at(-1)!,
  shape.at(-2)!,
];

/** Omar92's cells of a latent: the factor's, at most the largest side, then a multiple of 8. */
const cells = (count: number, by: number): number =>
  multipleOf8(Math.min(Math.trunc(count * by), LARGEST));

const omarNodes: readonly NodeDefinition[] = [
  omarLatent({
    name: 'LatentUpscaleFactor _O',
    inputs: {
      samples: latent(),
      upscale_method: combo(METHODS),
      WidthFactor: factor(),
      HeightFactor: factor(),
      crop: combo(CROPS),
    },
    outputs: [{ type: 'LATENT' }],
    run({ samples, upscale_method, WidthFactor, HeightFactor, crop }) {
      const [w, h] = sidesOf(samples.samples);
      const size = [cells(w, WidthFactor), cells(h, HeightFactor)] as const;
      return [scaledLatent(samples, size, upscale_method, crop)];
    },
  }),
  omarLatent({
    name: 'LatentUpscaleFactorSimple _O',
    inputs: {
      samples: latent(),
      upscale_method: combo(METHODS),
      factor: factor(),
      crop: combo(CROPS),
    },
    outputs: [{ type: 'LATENT' }],
    run({ samples, upscale_method, factor, crop }) {
      const [w, h] = sidesOf(samples.samples);
      return [scaledLatent(samples, [cells(w, factor), cells(h, factor)], upscale_method, crop)];
    },
  }),
  omarImage({
    name: 'ImageScaleFactor _O',
    inputs: {
      image: image(),
      upscale_method: combo(METHODS),
      WidthFactor: factor(),
      HeightFactor: factor(),
      MulOf46: combo(TOGGLE, { default: 'enabled' }),
      crop: combo(CROPS),
    },
    outputs: [{ type: 'IMAGE' }],
    run: ({ image, WidthFactor, HeightFactor, ...how }) => [
      omarImageBy(image, [WidthFactor, HeightFactor], how),
    ],
  }),
  omarImage({
    name: 'ImageScaleFactorSimple _O',
    inputs: {
      image: image(),
      upscale_method: combo(METHODS),
      Factor: factor(),
      MulOf46: combo(TOGGLE, { default: 'enabled' }),
      crop: combo(CROPS),
    },
    outputs: [{ type: 'IMAGE' }],
    run: ({ image, Factor, ...how }) => [omarImageBy(image, [Factor, Factor], how)],
  }),
];

interface OmarScaling {
  readonly upscale_method: (typeof METHODS)[number];
  readonly MulOf46: (typeof TOGGLE)[number];
  readonly crop: (typeof CROPS)[number];
}

function omarImageBy(
  x: Image,
  factors: readonly [width: number, height: number],
  { upscale_method, MulOf46, crop }: OmarScaling,
): Image {
  const [width, height] = factors.map((by, i) => {
    const side = Math.min(by * x.shape[2 - i], LARGEST);
    return Math.trunc(MulOf46 === 'enabled' ? multipleOf8(side) : side);
  });
  return upscaleImage(x, width, height, upscale_method, crop);
}

const SIDES = ['Longest', 'Shortest', 'Width', 'Height'] as const;
const DF_METHODS = ['nearest-exact', 'bilinear', 'bicubic', 'bislerp', 'area', 'lanczos'] as const;

/** Both sides when one of them is `length`; the original takes the height where both are equally long. */
function bySide([w, h]: readonly number[], length: number, side: string): [number, number] {
  const isWidth =
    side === 'Width' || (side === 'Longest' && w > h) || (side === 'Shortest' && w < h);
  const sides = isWidth ? [length, (h / w) * length] : [(w / h) * length, length];
  return sides.map(Math.ceil) as [number, number];
}

const length = (value: number) => int({ default: value, min: -(2 ** 53), max: 2 ** 53, step: 1 });

const derfuuNodes: readonly NodeDefinition[] = [
  derfuuImage({
    name: 'DF_Image_scale_by_ratio',
    displayName: 'Image scale by ratio',
    inputs: {
      image: image({ forceInput: false }),
      upscale_by: unbounded(),
      upscale_method: combo(DF_METHODS, { forceInput: false }),
      crop: combo(CROPS, { forceInput: false }),
    },
    outputs: [{ type: 'IMAGE' }],
    run({ image, upscale_by, upscale_method, crop }) {
      const [w, h] = [image.shape[2], image.shape[1]].map((side) => Math.ceil(side * upscale_by));
      return [upscaleImage(image, w, h, upscale_method, crop)];
    },
  }),
  derfuuImage({
    name: 'DF_Image_scale_to_side',
    displayName: 'Image scale to side',
    inputs: {
      image: image({ forceInput: false }),
      side_length: length(1),
      side: combo(SIDES, { forceInput: false }),
      upscale_method: combo(DF_METHODS, { forceInput: false }),
      crop: combo(CROPS, { forceInput: false }),
    },
    outputs: [{ type: 'IMAGE' }],
    run({ image, side_length, side, upscale_method, crop }) {
      const [w, h] = bySide([image.shape[2], image.shape[1]], side_length, side);
      return [upscaleImage(image, w, h, upscale_method, crop)];
    },
  }),
  derfuuLatent({
    name: 'DF_Latent_Scale_to_side',
    displayName: 'Latent Scale to side',
    inputs: {
      latent: latent({ forceInput: false }),
      side_length: length(512),
      side: combo(SIDES, { forceInput: false }),
      scale_method: combo(DF_METHODS, { forceInput: false }),
      crop: combo(CROPS, { forceInput: false }),
    },
    outputs: [{ type: 'LATENT' }],
    run({ latent, side_length, side, scale_method, crop }) {
      const [w, h] = bySide(
        sidesOf(latent.samples).map((cell) => cell * 8),
        side_length,
        side,
      );
      const size = [Math.floor(w / 8), Math.floor(h / 8)] as const;
      return [scaledLatent(latent, size, scale_method, crop)];
    },
  }),
];

/** Where the samples of a row or column of `to` lie in one of `from` whose ends meet. */
function alignedPlaces(from: number, to: number): number[] {
  return Array.from({ length: to }, (_, i) => (to > 1 ? (i * (from - 1)) / (to - 1) : 0));
}

/** Keys' cubic with a = -0.75, torch's, at the distances of the four neighbours. */
function cubic(t: number): number[] {
  const a = -0.75;
  const near = (d: number) => ((a + 2) * d - (a + 3)) * d * d + 1;
  const away = (d: number) => ((d - 5) * d + 8) * d * a - 4 * a;
  return [away(t + 1), near(t), near(1 - t), away(2 - t)];
}

const KERNELS = {
  bilinear: { first: 0, weights: (t: number) => [1 - t, t] },
  bicubic: { first: -1, weights: cubic },
} as const;

/** The columns of rows [n, w] as torch's interpolate with align_corners gives them: [n, width]. */
function alignedRows(
  { data, shape: [n, w] }: NDArray,
  width: number,
  { first, weights }: (typeof KERNELS)[keyof typeof KERNELS],
): NDArray {
  const out = new Float32Array(n * width);
  const taps = alignedPlaces(w, width).map((place) => {
    const start = Math.floor(place);
    return { start: start + first, weights: weights(place - start) };
  });
  for (let row = 0; row < n; row++) {
    taps.forEach(({ start, weights: parts }, x) => {
      let sum = 0;
      parts.forEach((part, k) => {
        sum += part * data[row * w + Math.min(Math.max(start + k, 0), w - 1)];
      });
      out[row * width + x] = sum;
    });
  }
  return nd(out, [n, width]);
}

/** [n, h, w] -> [n, w, h]. */
function turned({ data, shape: [n, h, w] }: NDArray): NDArray {
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const [plane, y, x] = [Math.floor(i / (h * w)), Math.floor(i / w) % h, i % w];
    out[(plane * w + x) * h + y] = data[i];
  }
  return nd(out, [n, w, h]);
}

function aligned(x: Latent, width: number, height: number, mode: keyof typeof KERNELS): Latent {
  const { shape, data } = x.samples;
  const [h, w] = shape.slice(-2);
  const planes = data.length / (h * w);
  const wide = alignedRows(nd(data, [planes * h, w]), width, KERNELS[mode]);
  const sideways = turned(nd(wide.data, [planes, h, width]));
  const high = alignedRows(nd(sideways.data, [planes * width, h]), height, KERNELS[mode]);
  const upright = turned(nd(high.data, [planes, width, height]));
  return { ...x, samples: nd(upright.data, [...shape.slice(0, -2), height, width]) };
}

/** torch's `nearest`: the cell under the left corner of each. */
function nearest(x: Latent, width: number, height: number): Latent {
  const { shape, data } = x.samples;
  const [h, w] = shape.slice(-2);
  const planes = data.length / (h * w);
  const out = new Float32Array(planes * height * width);
  for (let i = 0; i < out.length; i++) {
    const y = Math.floor(((Math.floor(i / width) % height) * h) / height);
    const column = Math.floor(((i % width) * w) / width);
    out[i] = data[(Math.floor(i / (width * height)) * h + y) * w + column];
  }
  return { ...x, samples: nd(out, [...shape.slice(0, -2), height, width]) };
}

/** Largest picture in between, in pixels, when a picture is made eight times as large first. */
const LARGEST_BETWEEN = 2 ** 26;

const wasNodes: readonly NodeDefinition[] = [
  inCategory('WAS Suite/Latent/Transform')({
    name: 'Latent Upscale by Factor (WAS)',
    inputs: {
      samples: latent(),
      mode: combo(['area', 'bicubic', 'bilinear', 'nearest'] as const),
      factor: float({ default: 2, min: 0.1, max: 8, step: 0.01 }),
      align: combo(['true', 'false'] as const),
    },
    outputs: [{ type: 'LATENT' }],
    run({ samples, mode, factor, align }) {
      const size = sidesOf(samples.samples).map((side) => roundHalfEven(side * factor));
      const [w, h] = size;
      if (w < 1 || h < 1) throw new RangeError(`factor: ${factor} leaves nothing of the latent`);
      if (mode === 'nearest') return [nearest(samples, w, h)];
      if (mode !== 'area' && align === 'true') return [aligned(samples, w, h, mode)];
      return [scaledLatent(samples, [w, h], mode, 'disabled')];
    },
  }),
  was({
    name: 'Image Resize',
    inputs: {
      image: image(),
      mode: combo(['rescale', 'resize'] as const),
      supersample: combo(['true', 'false'] as const),
      resampling: combo(['lanczos', 'nearest', 'bilinear', 'bicubic'] as const),
      rescale_factor: float({ default: 2n, min: 0.01, max: 16, step: 0.01 }),
      resize_width: int({ default: 1024, min: 1, max: 48000, step: 1 }),
      resize_height: int({ default: 1536, min: 1, max: 48000, step: 1 }),
    },
    outputs: [{ type: 'IMAGE' }],
    run({ image, mode, supersample, resampling, rescale_factor, resize_width, resize_height }) {
      const [width, height] =
        mode === 'rescale'
          ? [image.shape[2], image.shape[1]].map((side) => Math.trunc(side * rescale_factor))
          : [resize_width, resize_height].map((side) => Math.ceil(side / 8) * 8);
      if (width < 1 || height < 1) {
        throw new RangeError(`rescale_factor: ${rescale_factor} leaves nothing of the picture`);
      }
      if (supersample === 'false') return [pillowImage(image, height, width, resampling)];
      if (width * height * 64 > LARGEST_BETWEEN) {
        throw new RangeError(
          `supersample: expected a picture of at most ${LARGEST_BETWEEN / 64} pixels, got ${width}×${height}; turn it off`,
        );
      }
      const large = pillowImage(image, height * 8, width * 8, resampling);
      return [pillowImage(large, height, width, resampling)];
    },
  }),
];

export const factorSizeNodes: readonly NodeDefinition[] = [
  ...wasNodes,
  ...omarNodes,
  ...derfuuNodes,
];
