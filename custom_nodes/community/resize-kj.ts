/** KJNodes' "Resize Image v2": eight ways to treat the proportions, with a mask that follows. */
import {
  combo,
  cropImage,
  cropPlanes,
  full,
  hexColour,
  image,
  int,
  mask,
  nd,
  optional,
  padImage,
  reshape,
  resizeMask,
  roundHalfEven,
  string,
  upscaleImage,
  zeros,
} from 'noodle/node';
import type { Image, Mask, NodeDefinition, Rectangle, UpscaleMethod } from 'noodle/node';
import { MAX_RESOLUTION, inCategory } from './define.ts';

const MODES = [
  ...(['stretch', 'resize', 'pad', 'pad_edge', 'pad_edge_pixel', 'crop'] as const),
  ...(['pillarbox_blur', 'total_pixels'] as const),
] as const;
const METHODS = [
  ...(['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos', 'nvidia_rtx_vsr'] as const),
] as const;
const POSITIONS = ['center', 'top', 'bottom', 'left', 'right'] as const;

type Position = (typeof POSITIONS)[number];
type Padding = 'pad' | 'pad_edge' | 'pad_edge_pixel';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The size with the picture's proportions; a side of 0 is left open. */
function proportional(from: Size, { width, height }: Size): Size {
  if (width === 0 && height === 0) return from;
  if (width === 0) return { width: roundHalfEven(from.width * (height / from.height)), height };
  if (height === 0) return { width, height: roundHalfEven(from.height * (width / from.width)) };
  const ratio = Math.min(width / from.width, height / from.height);
  return { width: roundHalfEven(from.width * ratio), height: roundHalfEven(from.height * ratio) };
}

/** As many pixels as width × height, in the picture's proportions. */
function ofPixels(from: Size, { width, height }: Size): Size {
  const aspect = from.width / from.height;
  return {
    width: Math.trunc(Math.sqrt(width * height * aspect)),
    height: Math.trunc(Math.sqrt((width * height) / aspect)),
  };
}

/** Where something of a length begins that stands in a whole: at the start, the end or the middle. */
const start = (position: Position, [first, last]: [Position, Position], spare: number): number =>
  position === first ? 0 : position === last ? spare : Math.floor(spare / 2);

const place = (position: Position, across: number, down: number) => ({
  left: start(position, ['left', 'right'], across),
  top: start(position, ['top', 'bottom'], down),
});

/** The part of the picture that has the wanted proportions. */
function cropFor(from: Size, to: Size, position: Position): Rectangle {
  const aspect = to.width / to.height;
  const wide = from.width / from.height > aspect;
  const width = wide ? roundHalfEven(from.height * aspect) : from.width;
  const height = wide ? from.height : roundHalfEven(from.width / aspect);
  return { ...place(position, from.width - width, from.height - height), width, height };
}

/** Colours that have names, beside what is written in numbers. */
const NAMED: Readonly<Record<string, string>> = {
  black: '#000000',
  white: '#ffffff',
  red: '#ff0000',
  lime: '#00ff00',
  green: '#008000',
  blue: '#0000ff',
  yellow: '#ffff00',
  cyan: '#00ffff',
  magenta: '#ff00ff',
  gray: '#808080',
  grey: '#808080',
  orange: '#ffa500',
  purple: '#800080',
  pink: '#ffc0cb',
};

/** `255, 0, 0`, `1.0, 0, 0`, `#ff0000`, `red` or one number for a grey, as 0..1; black for anything else. */
export function colourOf(text: string): number[] {
  const named = hexColour((NAMED[text.trim().toLowerCase()] ?? text.trim()).slice(0, 7));
  if (named !== undefined) return named.map((v) => v / 255);
  const values = text.split(',').map(Number);
  if (values.some((v) => !Number.isFinite(v))) return [0, 0, 0];
  const unit = values.every((v) => v >= 0 && v <= 1);
  const bytes = values.map((v) => Math.trunc(unit ? v * 255 : v) / 255);
  return bytes.length === 1 ? [bytes[0], bytes[0], bytes[0]] : bytes;
}

/** A picture in a frame: of a colour, of the mean colour of each edge, or of the edge's own pixels. */
function padded(x: Image, frame: Rectangle, padding: Padding, colour: readonly number[]): Image {
  const out = padImage(x, frame, 0);
  const [batch, h, w, c] = x.shape;
  const { left, top, width, height } = frame;
  const pixel = (n: number, y: number, i: number, k: number): number =>
    x.data[((n * h + y) * w + i) * c + k];
  const means = padding === 'pad_edge' ? edgeMeans(x) : undefined;
  const around = (n: number, y: number, i: number, k: number): number => {
    if (padding === 'pad') return colour[k] ?? 1;
    const [row, column] = [clamp(y - top, h), clamp(i - left, w)];
    if (means === undefined) return pixel(n, row, column, k);
    // The sides are painted last, over the corners.
    const side = i < left ? 2 : i >= left + w ? 3 : y < top ? 0 : 1;
    return means[(n * 4 + side) * c + k];
  };
  for (let n = 0, to = 0; n < batch; n++) {
    for (let y = 0; y < height; y++) {
      const outside = y < top || y >= top + h;
      for (let i = 0; i < width; i++, to += c) {
        if (!outside && i >= left && i < left + w) continue;
        for (let k = 0; k < c; k++) out.data[to + k] = around(n, y, i, k);
      }
    }
  }
  return out;
}

const clamp = (at: number, length: number): number => Math.min(length - 1, Math.max(0, at));

/** The mean colour of the top, bottom, left and right edge of every picture. */
function edgeMeans(x: Image): Float32Array {
  const [batch, h, w, c] = x.shape;
  const means = new Float32Array(batch * 4 * c);
  const add = (n: number, side: number, y: number, i: number, length: number): void => {
    for (let k = 0; k < c; k++) {
      means[(n * 4 + side) * c + k] += x.data[((n * h + y) * w + i) * c + k] / length;
    }
  };
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < w; i++) {
      add(n, 0, 0, i, w);
      add(n, 1, h - 1, i, w);
    }
    for (let y = 0; y < h; y++) {
      add(n, 2, y, 0, h);
      add(n, 3, y, w - 1, h);
    }
  }
  return means;
}

/** The mask beside a padded picture: its edges go on; without one, 1 where there is no picture. */
function paddedMask(mask: Mask | undefined, x: Image, frame: Rectangle): Mask {
  const [batch, h, w] = x.shape;
  const asPicture = (m: Mask): Image => reshape(m, [...m.shape, 1]);
  if (mask !== undefined) {
    const out = padded(asPicture(mask), frame, 'pad_edge_pixel', []);
    return reshape(out, out.shape.slice(0, 3));
  }
  const out = padded(zeros([batch, h, w, 1]), frame, 'pad', [1]);
  return reshape(out, out.shape.slice(0, 3));
}

/** The frame around a picture of size `to`, a multiple of `divisor` where it is one. */
function frameFor(asked: Size, inner: Size, to: Size, position: Position, divisor: number) {
  const across = asked.width - inner.width;
  const down = asked.height - inner.height;
  const { left, top } = place(position, across, down);
  const margins = [left, across - left, top, down - top];
  if (margins.every((margin) => margin <= 0)) return undefined;
  const whole = (length: number): number =>
    divisor > 1 ? Math.ceil(length / divisor) * divisor : length;
  return { left, top, width: whole(to.width + across), height: whole(to.height + down) };
}

const divided = (length: number, by: number): number => (by > 1 ? length - (length % by) : length);

const PLACEHOLDER = 64;

/** A mask at the size of its picture; ComfyUI's empty 64 × 64 one says nothing. */
function fitting(mask: Mask | undefined, { width, height }: Size): Mask | undefined {
  if (mask === undefined) return undefined;
  const [, h, w] = mask.shape;
  if (h === height && w === width) return mask;
  if (h === PLACEHOLDER && w === PLACEHOLDER) return undefined;
  return resizeMask(mask, width, height, 'bilinear');
}

/** Masks as the picture's method scales them. */
function scaledMask(mask: Mask, to: Size, method: UpscaleMethod): Mask {
  const [b, h, w] = mask.shape;
  const out = upscaleImage(nd(mask.data, [b, h, w, 1]), to.width, to.height, method, 'disabled');
  return reshape(out, [b, to.height, to.width]);
}

const TARGETS: Readonly<Record<string, (from: Size, asked: Size) => Size>> = {
  resize: proportional,
  pad: proportional,
  pad_edge: proportional,
  pad_edge_pixel: proportional,
  total_pixels: ofPixels,
};

export const resizeKjV2: NodeDefinition = inCategory('KJNodes/image')({
  name: 'ImageResizeKJv2',
  displayName: 'Resize Image v2',
  description: 'pillarbox_blur and nvidia_rtx_vsr are not done here.',
  inputs: {
    image: image(),
    width: int({ default: 512, min: 0, max: MAX_RESOLUTION, step: 1 }),
    height: int({ default: 512, min: 0, max: MAX_RESOLUTION, step: 1 }),
    upscale_method: combo(METHODS),
    keep_proportion: combo(MODES, { default: false }),
    pad_color: string({ default: '0, 0, 0', tooltip: 'Color to use for padding.' }),
    crop_position: combo(POSITIONS, { default: 'center' }),
    divisible_by: int({ default: 2, min: 0, max: 512, step: 1 }),
    mask: optional(mask()),
    device: optional(combo(['cpu', 'gpu'] as const)),
  },
  hidden: { unique_id: 'UNIQUE_ID' },
  outputs: [
    { type: 'IMAGE', name: 'IMAGE' },
    { type: 'INT', name: 'width' },
    { type: 'INT', name: 'height' },
    { type: 'MASK', name: 'mask' },
  ],
  run({
    image,
    upscale_method,
    keep_proportion,
    pad_color,
    crop_position,
    divisible_by,
    ...given
  }) {
    if (upscale_method === 'nvidia_rtx_vsr' || keep_proportion === 'pillarbox_blur') {
      const what = upscale_method === 'nvidia_rtx_vsr' ? upscale_method : keep_proportion;
      throw new RangeError(`${what} is not done here: choose another one`);
    }
    const from = { width: image.shape[2], height: image.shape[1] };
    const asked = { width: given.width, height: given.height };
    const target = TARGETS[keep_proportion]?.(from, asked) ?? {
      width: asked.width || from.width,
      height: asked.height || from.height,
    };
    const to = {
      width: divided(target.width, divisible_by),
      height: divided(target.height, divisible_by),
    };
    let picture = image;
    let mask = fitting(given.mask, from);
    if (keep_proportion === 'crop') {
      const part = cropFor(from, to, crop_position);
      picture = cropImage(picture, part);
      mask &&= cropPlanes(mask, part);
    }
    picture = upscaleImage(picture, to.width, to.height, upscale_method, 'disabled');
    mask &&= scaledMask(mask, to, upscale_method);
    const padding = keep_proportion.startsWith('pad') ? (keep_proportion as Padding) : undefined;
    const frame = padding && frameFor(asked, target, to, crop_position, divisible_by);
    if (padding !== undefined && frame !== undefined) {
      mask = paddedMask(mask, picture, frame);
      picture = padded(picture, frame, padding, colourOf(pad_color));
    }
    const [, height, width] = picture.shape;
    return [picture, width, height, mask ?? full([1, PLACEHOLDER, PLACEHOLDER], 0)];
  },
});
