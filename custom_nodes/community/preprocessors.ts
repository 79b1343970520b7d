/** ControlNet aux: preprocessors that need no network. */
import {
  boolean,
  checkPictureSize,
  float,
  image,
  int,
  mask,
  nd,
  optional,
  repeatToBatch,
  resizeMask,
  roundHalfEven,
  toByte,
} from 'noodle/node';
import type { Image, InputSpec, NodeDefinition } from 'noodle/node';
import { MAX_RESOLUTION, inCategory } from './define.ts';
import { canny, gaussianBlur, greyOf, otsuThreshold, pyrUp, resize } from './opencv.ts';
import type { CvFilter, Plane } from './opencv.ts';

const IMAGE = [{ type: 'IMAGE' }];
const lines = inCategory('ControlNet Preprocessors/Line Extractors');
const tile = inCategory('ControlNet Preprocessors/tile');
const adapters = inCategory('ControlNet Preprocessors/T2IAdapter-only');
const others = inCategory('ControlNet Preprocessors/others');

const resolution = () => optional(int({ default: 512, min: 64, max: MAX_RESOLUTION, step: 64 }));
const level = (value: number, max = 255, min = 0) =>
  optional(int({ default: value, min, max, step: 1 }));

/** One picture as bytes of three channels; what is transparent becomes white. */
function bytesOf({ data, shape: [, height, width, c] }: Image, index: number): Plane {
  const pixels = width * height;
  const out = new Uint8Array(pixels * 3);
  for (let i = 0; i < pixels; i++) {
    const from = (index * pixels + i) * c;
    const alpha = c === 4 ? toByte(data[from + 3]) / 255 : 1;
    for (let k = 0; k < 3; k++) {
      const v = toByte(data[from + Math.min(k, c - 1)]);
      out[3 * i + k] = alpha === 1 ? v : Math.trunc(v * alpha + 255 * (1 - alpha));
    }
  }
  return { data: out, width, height, channels: 3 };
}

type Progress = (done: number, of: number) => void;

/** What `f` makes of each picture's bytes; one channel becomes three. */
function mapped(images: Image, progress: Progress, f: (picture: Plane) => Plane): [Image] {
  const count = images.shape[0];
  const made = Array.from({ length: count }, (_, i) => {
    progress(i, count);
    return f(bytesOf(images, i));
  });
  const [{ width, height }] = made;
  const out = new Float32Array(count * width * height * 3);
  made.forEach(({ data, channels }, n) => {
    const start = n * width * height * 3;
    for (let i = 0; i < width * height * 3; i++) {
      out[start + i] = data[channels === 3 ? i : Math.floor(i / 3)] / 255;
    }
  });
  return [nd(out, [count, height, width, 3])];
}

/** `f` on a picture with its shorter side at the resolution, its edges going on to multiples of 64. */
function atResolution(side: number, enlarge: CvFilter, f: (picture: Plane) => Plane) {
  return (picture: Plane): Plane => {
    const by = side / Math.min(picture.width, picture.height);
    const [width, height] = [roundHalfEven(picture.width * by), roundHalfEven(picture.height * by)];
    checkPictureSize('resolution', width, height);
    const scaled = resize(picture, width, height, by > 1 ? enlarge : 'area');
    const full = (size: number): number => Math.ceil(size / 64) * 64;
    return windowOf(f(windowOf(scaled, full(width), full(height))), width, height);
  };
}

/** The upper left of a picture; what lies beyond it goes on like its edges. */
function windowOf({ data, channels, ...from }: Plane, width: number, height: number): Plane {
  const out = new Uint8Array(width * height * channels);
  for (let y = 0, to = 0; y < height; y++) {
    const row = Math.min(y, from.height - 1) * from.width;
    for (let x = 0; x < width; x++, to += channels) {
      const at = (row + Math.min(x, from.width - 1)) * channels;
      for (let c = 0; c < channels; c++) out[to + c] = data[at + c];
    }
  }
  return { data: out, width, height, channels };
}

/** A byte for each pixel of three channels. */
const perPixel = ({ data, width, height }: Plane, f: (i: number) => number): Plane => ({
  data: Uint8Array.from({ length: data.length / 3 }, (_, i) => f(3 * i)),
  width,
  height,
  channels: 1,
});

const floats = (x: Plane): Plane<Float32Array> => ({ ...x, data: Float32Array.from(x.data) });
const least = (x: ArrayLike<number>, y: ArrayLike<number>, i: number): number =>
  Math.min(x[i] - y[i], x[i + 1] - y[i + 1], x[i + 2] - y[i + 2]);

/** Extended difference of Gaussians, as a threshold on how dark lines are against what is around. */
function xdog(picture: Plane, threshold: number): Plane {
  const [fine, coarse] = [0.5, 5].map((sigma) => gaussianBlur(floats(picture), sigma).data);
  return perPixel(picture, (i) => {
    const dog = Math.trunc(Math.min(255, Math.max(0, 255 - least(coarse, fine, i))));
    // The original counts in bytes, which begin again at 256.
    return ((2 * (255 - dog)) & 255) > threshold ? 255 : 0;
  });
}

/** How much darker pixels are than what is around, so that the middle of the lines is grey. */
function lineart(picture: Plane, sigma: number, threshold: number): Plane {
  const sharp = floats(picture).data;
  const blurred = sigma > 0 ? gaussianBlur(floats(picture), sigma).data : sharp;
  const depth = Float32Array.from({ length: sharp.length / 3 }, (_, i) =>
    Math.min(255, Math.max(0, least(blurred, sharp, 3 * i))),
  );
  const deep = depth.filter((v) => v > threshold).sort();
  const middle = deep.length >> 1;
  const median = deep.length % 2 === 1 ? deep[middle] : (deep[middle - 1] + deep[middle]) / 2;
  const whole = Math.fround(median > 16 ? median : 16);
  return perPixel(picture, (i) =>
    Math.min(255, Math.trunc(Math.fround(Math.fround(depth[i / 3] / whole) * 127))),
  );
}

/** A mosaic of one colour for 64 pixels. */
function palette(picture: Plane, side: number): Plane {
  const isWide = picture.height < picture.width;
  const long = roundHalfEven(
    (Math.max(picture.width, picture.height) / Math.min(picture.width, picture.height)) * side,
  );
  const [width, height] = isWide ? [long, side] : [side, long];
  checkPictureSize('resolution', width, height);
  const scaled = resize(picture, width, height, 'area');
  const few = resize(scaled, Math.floor(width / 64), Math.floor(height / 64), 'cubic');
  return resize(few, width, height, 'nearest');
}

/** Smaller by halving some times, and blown up again. */
function smoothed(picture: Plane, times: number): Plane {
  const size = (side: number): number => Math.floor((roundHalfEven(side / 64) * 64) / 2 ** times);
  const [width, height] = [size(picture.width), size(picture.height)];
  if (width < 1 || height < 1) {
    throw new RangeError(`pyrUp_iters: nothing is left of the picture after ${times} halvings`);
  }
  let now = resize(picture, width, height, 'area');
  for (let i = 0; i < times; i++) now = pyrUp(now);
  return now;
}

/** A picture's bytes, and what the node was given besides. */
type Make = (picture: Plane, values: Readonly<Record<string, number>>) => Plane;

interface Preprocessor {
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  /** Numbers, all of them optional. */
  readonly inputs?: Readonly<Record<string, InputSpec<number, true>>>;
  /** How small pictures are brought to the resolution; undefined where the node does that itself. */
  readonly enlarge?: CvFilter;
  readonly make: Make;
}

const preprocessor = (
  define: typeof lines,
  { inputs = {}, enlarge, make, ...names }: Preprocessor,
) =>
  define({
    ...names,
    inputs: { image: image(), ...inputs, resolution: resolution() },
    outputs: IMAGE,
    run({ image, ...given }, context) {
      const specs = Object.entries({ ...inputs, resolution: resolution() });
      const values = Object.fromEntries(
        specs.map(([key, { options }]) => {
          const value = (given as Readonly<Record<string, unknown>>)[key];
          return [key, Number(value ?? options?.default)];
        }),
      );
      const f = (picture: Plane): Plane => make(picture, values);
      const at = enlarge === undefined ? f : atResolution(values.resolution, enlarge, f);
      return mapped(image, context.progress, at);
    },
  });

const inpaint = others({
  name: 'InpaintPreprocessor',
  displayName: 'Inpaint Preprocessor',
  description: 'Marks what is inpainted for a ControlNet: -1, or black.',
  inputs: {
    image: image(),
    mask: mask(),
    black_pixel_for_xinsir_cn: optional(boolean({ default: false })),
  },
  outputs: IMAGE,
  run({ image, mask, black_pixel_for_xinsir_cn }) {
    const [count, h, w, c] = image.shape;
    const covers = repeatToBatch(resizeMask(mask, w, h, 'bilinear'), count);
    const mark = black_pixel_for_xinsir_cn ? 0 : -1;
    const data = image.data.map((v, i) => (covers.data[Math.floor(i / c)] > 0.5 ? mark : v));
    return [nd(data, image.shape)];
  },
});

export const preprocessorNodes: readonly NodeDefinition[] = [
  preprocessor(lines, {
    name: 'CannyEdgePreprocessor',
    displayName: 'Canny Edge',
    description: 'Edges by Canny (1986).',
    inputs: { low_threshold: level(100), high_threshold: level(200) },
    enlarge: 'cubic',
    make: (picture, values) => canny(picture, values.low_threshold, values.high_threshold),
  }),
  preprocessor(lines, {
    name: 'ScribblePreprocessor',
    displayName: 'Scribble Lines',
    description: 'What is dark, as black on white.',
    enlarge: 'area',
    make: (picture) =>
      perPixel(picture, (i) => (Math.min(...picture.data.subarray(i, i + 3)) < 127 ? 0 : 255)),
  }),
  preprocessor(lines, {
    name: 'Scribble_XDoG_Preprocessor',
    displayName: 'Scribble XDoG Lines',
    description: 'Thick lines where a picture is darker than what is around.',
    inputs: { threshold: level(32, 64, 1) },
    enlarge: 'cubic',
    make: (picture, { threshold }) => xdog(picture, threshold),
  }),
  preprocessor(lines, {
    name: 'LineartStandardPreprocessor',
    displayName: 'Standard Lineart',
    description: 'Lines by how much darker they are than what is around.',
    inputs: {
      guassian_sigma: optional(float({ default: 6, min: 0n, max: 100, step: 0.01 })),
      intensity_threshold: level(8, 16),
    },
    enlarge: 'cubic',
    make: (picture, values) => lineart(picture, values.guassian_sigma, values.intensity_threshold),
  }),
  preprocessor(lines, {
    name: 'BinaryPreprocessor',
    displayName: 'Binary Lines',
    description: 'Black and white by a threshold; 0 and 255 look for one (Otsu 1979).',
    inputs: { bin_threshold: level(100) },
    enlarge: 'cubic',
    make: (picture, { bin_threshold: given }) => {
      const grey = greyOf(picture);
      const threshold = given === 0 || given === 255 ? otsuThreshold(grey) : given;
      return { ...grey, data: grey.data.map((v) => (v > threshold ? 255 : 0)) };
    },
  }),
  preprocessor(tile, {
    name: 'TilePreprocessor',
    displayName: 'Tile',
    description: 'The picture without its detail.',
    inputs: { pyrUp_iters: level(3, 10, 1) },
    make: (picture, { pyrUp_iters }) => smoothed(picture, pyrUp_iters),
  }),
  preprocessor(adapters, {
    name: 'ColorPreprocessor',
    displayName: 'Color Pallete',
    description: 'A mosaic of the colours.',
    make: (picture, { resolution }) => palette(picture, resolution),
  }),
  inpaint,
];
