/** Pictures made larger or smaller: essentials, KJNodes, rgthree, pysssss. */
import {
  boolean,
  combo,
  concat,
  cropImage,
  image,
  int,
  map,
  optional,
  padImage,
  roundHalfEven,
  rows,
  upscaleImage,
} from 'noodle/node';
import type { Image, NodeDefinition, UpscaleMethod } from 'noodle/node';
import { MAX_RESOLUTION, inCategory } from './define.ts';

const METHODS = ['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos'] as const;

const side = (options: object) => int({ ...options, min: 0, max: MAX_RESOLUTION, step: 1 });

const sizeOutputs = (image: string, width: string, height: string) => [
  { type: 'IMAGE', name: image },
  { type: 'INT', name: width },
  { type: 'INT', name: height },
];

const withSize = (x: Image): unknown[] => [x, x.shape[2], x.shape[1]];

/** A size at which the sides of a picture are whole multiples. */
const multiple = (length: number, of: number): number => (of > 1 ? length - (length % of) : length);

/** torch's `nearest`: the sample at or before each position, unlike `nearest-exact`. */
function nearest(x: Image, width: number, height: number): Image {
  const [batch, h, w, channels] = x.shape;
  const data = new Float32Array(batch * height * width * channels);
  const [down, across] = [Math.fround(h / height), Math.fround(w / width)];
  for (let n = 0, to = 0; n < batch; n++) {
    for (let y = 0; y < height; y++) {
      const row = Math.min(h - 1, Math.floor(Math.fround(y * down)));
      for (let i = 0; i < width; i++, to += channels) {
        const from =
          ((n * h + row) * w + Math.min(w - 1, Math.floor(Math.fround(i * across)))) * channels;
        data.set(x.data.subarray(from, from + channels), to);
      }
    }
  }
  return { data, shape: [batch, height, width, channels] };
}

const scaled = (
  x: Image,
  width: number,
  height: number,
  method: UpscaleMethod | 'nearest',
): Image =>
  method === 'nearest'
    ? nearest(x, width, height)
    : upscaleImage(x, width, height, method, 'disabled');

/** The middle of a picture at multiples of a number. */
function trimmed(x: Image, of: number): Image {
  const [, h, w] = x.shape;
  if (of <= 1 || (w % of === 0 && h % of === 0)) return x;
  const [left, top] = [Math.floor((w % of) / 2), Math.floor((h % of) / 2)];
  return cropImage(x, { top, left, height: multiple(h, of), width: multiple(w, of) });
}

const CONDITIONS: Readonly<Record<string, (from: Size, to: Size) => boolean>> = {
  always: () => true,
  'downscale if bigger': (from, to) => from.height > to.height || from.width > to.width,
  'upscale if smaller': (from, to) => from.height < to.height || from.width < to.width,
  'if bigger area': (from, to) => from.height * from.width > to.height * to.width,
  'if smaller area': (from, to) => from.height * from.width < to.height * to.width,
};

interface Size {
  readonly width: number;
  readonly height: number;
}

/** A side of 0 does not bound: essentials takes the picture's own, or as much as is allowed. */
function bounds(from: Size, { width, height }: Size): Size {
  const wide = width > 0 ? width : from.height < height ? MAX_RESOLUTION : from.width;
  const high = height > 0 ? height : from.width < wide ? MAX_RESOLUTION : from.height;
  return { width: wide, height: high };
}

/** `from` times `ratio`, in whole pixels. */
const times = (from: Size, ratio: number): Size => ({
  width: roundHalfEven(from.width * ratio),
  height: roundHalfEven(from.height * ratio),
});

const essentialsResize = inCategory('essentials/image manipulation')({
  name: 'ImageResize+',
  displayName: '🔧 Image Resize',
  inputs: {
    image: image(),
    width: side({ default: 512 }),
    height: side({ default: 512 }),
    interpolation: combo([
      ...(['nearest', 'bilinear', 'bicubic', 'area', 'nearest-exact', 'lanczos'] as const),
    ]),
    method: combo(['stretch', 'keep proportion', 'fill / crop', 'pad'] as const),
    condition: combo(Object.keys(CONDITIONS)),
    multiple_of: int({ default: 0, min: 0, max: 512, step: 1 }),
  },
  outputs: sizeOutputs('IMAGE', 'width', 'height'),
  run({ image, interpolation, method, condition, multiple_of, ...given }) {
    const [, oh, ow] = image.shape;
    const from = { width: ow, height: oh };
    const asked = {
      width: multiple(given.width, multiple_of),
      height: multiple(given.height, multiple_of),
    };
    const fits = method === 'keep proportion' || method === 'pad';
    const frame = fits
      ? bounds(from, asked)
      : { width: asked.width || ow, height: asked.height || oh };
    const ratios = [frame.width / ow, frame.height / oh];
    const to =
      method === 'stretch' ? frame : times(from, fits ? Math.min(...ratios) : Math.max(...ratios));
    const resized = (): Image => {
      const picture = scaled(image, to.width, to.height, interpolation);
      return method === 'pad' || method === 'fill / crop' ? centred(picture, frame) : picture;
    };
    const out = trimmed(CONDITIONS[condition](from, to) ? resized() : image, multiple_of);
    return withSize(map(out, (v) => Math.min(1, Math.max(0, v))));
  },
});

/** The size with the picture's proportions that fits; 0 leaves a side open. */
function proportional(from: Size, { width, height }: Size): Size {
  if (width === 0 && height === 0) return { width, height };
  if (width === 0) return { width: roundHalfEven(from.width * (height / from.height)), height };
  if (height === 0) return { width, height: roundHalfEven(from.height * (width / from.width)) };
  return times(from, Math.min(width / from.width, height / from.height));
}

/** KJNodes' first resize; the newer one is in resize-kj.ts. */
const kjResize = inCategory('KJNodes/image')({
  name: 'ImageResizeKJ',
  displayName: 'Resize Image (deprecated)',
  deprecated: true,
  inputs: {
    image: image(),
    width: side({ default: 512 }),
    height: side({ default: 512 }),
    upscale_method: combo(METHODS),
    keep_proportion: boolean({ default: false }),
    divisible_by: int({ default: 2, min: 0, max: 512, step: 1 }),
    get_image_size: optional(image()),
    crop: optional(combo(['disabled', 'center', 0] as const)),
  },
  outputs: sizeOutputs('IMAGE', 'width', 'height'),
  run({ image, upscale_method, keep_proportion, divisible_by, get_image_size, crop, ...given }) {
    const [, H, W] = image.shape;
    const cut = crop === 'center' || crop === 0 ? 'center' : 'disabled';
    if (get_image_size !== undefined) {
      const [, height, width] = get_image_size.shape;
      return withSize(upscaleImage(image, width, height, upscale_method, cut));
    }
    const wanted = keep_proportion
      ? proportional({ width: W, height: H }, given)
      : { width: given.width || W, height: given.height || H };
    const width = multiple(wanted.width, divisible_by);
    const height = multiple(wanted.height, divisible_by);
    return withSize(upscaleImage(image, width, height, upscale_method, cut));
  },
});

const rgthreeResize = inCategory('rgthree')({
  name: 'Image Resize (rgthree)',
  description: 'Resize the image.',
  inputs: {
    image: image(),
    measurement: combo(['pixels', 'percentage'] as const),
    width: side({ default: 0 }),
    height: side({ default: 0 }),
    fit: combo(['crop', 'pad', 'contain'] as const),
    method: combo(['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos'] as const),
  },
  outputs: sizeOutputs('IMAGE', 'WIDTH', 'HEIGHT'),
  run({ image, measurement, method, fit, ...given }) {
    const [, H, W] = image.shape;
    const unit = measurement === 'percentage';
    const asked = {
      width: unit ? roundHalfEven((given.width * W) / 100) : given.width,
      height: unit ? roundHalfEven((given.height * H) / 100) : given.height,
    };
    const open = asked.width === 0 || asked.height === 0;
    if ((asked.width === 0 && asked.height === 0) || (asked.width === W && asked.height === H)) {
      return withSize(image);
    }
    const frame = open ? proportional({ width: W, height: H }, asked) : asked;
    const byHeight = (frame.height / H) * W;
    const byWidth = (frame.width / W) * H;
    const covers = fit === 'crop' && !open;
    const to = { ...frame };
    if (byHeight > frame.width) {
      if (covers) to.width = roundHalfEven(byHeight);
      else to.height = roundHalfEven(byWidth);
    } else if (byWidth > frame.height) {
      if (covers) to.height = roundHalfEven(byWidth);
      else to.width = roundHalfEven(byHeight);
    }
    const picture = upscaleImage(image, to.width, to.height, method, 'disabled');
    return withSize(fit === 'contain' || open ? picture : centred(picture, frame));
  },
});

/** A picture in the middle of a frame: cut where it is larger, black around where it is smaller. */
function centred(x: Image, { width, height }: Size): Image {
  const [, h, w] = x.shape;
  const [left, top] = [Math.floor((w - width) / 2), Math.floor((h - height) / 2)];
  const cut = cropImage(x, {
    left: Math.max(0, left),
    top: Math.max(0, top),
    width: Math.min(w, width),
    height: Math.min(h, height),
  });
  const [, ch, cw] = cut.shape;
  if (ch === height && cw === width) return cut;
  const place = { left: Math.floor((width - cw) / 2), top: Math.floor((height - ch) / 2) };
  return padImage(cut, { ...place, width, height }, 0);
}

/** pysssss: between a smallest and a largest size, the proportions kept. */
function constrained(x: Image, max: Size, min: Size, crop: boolean): Image {
  const [, h, w] = x.shape;
  const aspect = w / h;
  let width = Math.min(Math.max(w, min.width), max.width);
  let height = Math.min(Math.max(h, min.height), max.height);
  if (width / height > aspect) {
    width = Math.max(Math.trunc(height * aspect), min.width);
    if (crop) height = Math.trunc(h / (w / width));
  } else {
    height = Math.max(Math.trunc(width / aspect), min.height);
    if (crop) width = Math.trunc(w / (h / height));
  }
  const out = upscaleImage(x, width, height, 'lanczos', 'disabled');
  if (!crop || (width <= max.width && height <= max.height)) return out;
  const left = Math.max(Math.floor((width - max.width) / 2), 0);
  const top = Math.max(Math.floor((height - max.height) / 2), 0);
  const frame = { width: Math.min(width, max.width), height: Math.min(height, max.height) };
  return cropImage(out, { left, top, ...frame });
}

const bound = (value: number) => int({ default: value, min: 0 });

const constrainImage = inCategory('image')({
  name: 'ConstrainImage|pysssss',
  displayName: 'Constrain Image 🐍',
  inputs: {
    images: image(),
    max_width: bound(1024),
    max_height: bound(1024),
    min_width: bound(0),
    min_height: bound(0),
    crop_if_required: combo(['yes', 'no'] as const, { default: 'no' }),
  },
  outputs: [{ type: 'IMAGE', list: true }],
  run({ images, max_width, max_height, min_width, min_height, crop_if_required }) {
    const max = { width: max_width, height: max_height };
    const min = { width: min_width, height: min_height };
    const crop = crop_if_required === 'yes';
    return [
      Array.from({ length: images.shape[0] }, (_, i) =>
        constrained(rows(images, i, i + 1), max, min, crop),
      ),
    ];
  },
});

/** Pictures as one batch at the size of the first. */
export const batchOf = (pictures: readonly Image[], method: UpscaleMethod): Image => {
  const [, height, width] = pictures[0].shape;
  return concat(
    pictures.map((picture) =>
      picture.shape[1] === height && picture.shape[2] === width
        ? picture
        : upscaleImage(picture, width, height, method, 'center'),
    ),
  );
};

export const resizeNodes: readonly NodeDefinition[] = [
  essentialsResize,
  kjResize,
  rgthreeResize,
  constrainImage,
];
