/** Layers of a picture to inpaint: brought to a size, extended, and cut around what is masked. */
import { full, growMask, nd, pillowImage, reshape, roundHalfEven, zeros } from 'noodle/node';
import type { ByteFilter, Image, Mask, Rectangle } from 'noodle/node';
import { boundsOf } from './masks.ts';

/** One picture with the mask of what is made anew, and of what must be seen besides. */
export interface Layers {
  readonly image: Image;
  readonly mask: Mask;
  readonly context: Mask;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const scaledMask = (x: Mask, { width, height }: Size, filter: ByteFilter): Mask => {
  const picture = pillowImage(reshape(x, [...x.shape, 1]), height, width, filter);
  return reshape(picture, picture.shape.slice(0, 3));
};
export const scaledImage = (x: Image, { width, height }: Size, filter: ByteFilter): Image =>
  pillowImage(x, height, width, filter);

/** How a picture shrinks, and how it grows. */
export interface Filters {
  readonly down: ByteFilter;
  readonly up: ByteFilter;
}

export type PreresizeMode =
  | 'ensure minimum resolution'
  | 'ensure maximum resolution'
  | 'ensure minimum and maximum resolution';

interface Limits {
  readonly mode: PreresizeMode;
  readonly least: Size;
  readonly most: Size;
}

/** The layers brought within limits of size, the aspect ratio kept. */
export function preresized(
  layers: Layers,
  { mode, least, most }: Limits,
  { down, up }: Filters,
): Layers {
  const [, height, width] = layers.image.shape;
  const grow = Math.max(least.width / width, least.height / height);
  const shrink = Math.min(most.width / width, most.height / height);
  const mayGrow = mode !== 'ensure maximum resolution' && grow > 1;
  const mayShrink = mode !== 'ensure minimum resolution' && shrink < 1;
  if (mayGrow && mayShrink) {
    throw new RangeError('preresize: no size of this aspect ratio is within both limits');
  }
  if (!mayGrow && !mayShrink) return layers;
  const by = mayGrow ? grow : shrink;
  const round = mayGrow ? Math.ceil : Math.trunc;
  const size = { width: round(width * by), height: round(height * by) };
  const filter = mode === 'ensure minimum resolution' ? 'bilinear' : 'nearest';
  return {
    image: scaledImage(layers.image, size, mayGrow ? up : down),
    mask: scaledMask(layers.mask, size, filter),
    context: scaledMask(layers.context, size, filter),
  };
}

/** Everything within a square of about `pixels` around what is masked. */
export function expanded(x: Mask, pixels: number): Mask {
  const size = Math.ceil((pixels / 4) * 1.5 + 1);
  return growMask(x, Math.floor(size / 2), false);
}

/** A Gaussian of a quarter of `pixels`, to four deviations; outside there is nothing. */
export function blurred(x: Mask, pixels: number): Mask {
  const sigma = pixels / 4;
  const radius = Math.trunc(4 * sigma + 0.5);
  const [count, h, w] = x.shape;
  const weights = Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-0.5 * ((i - radius) / sigma) ** 2),
  );
  const sum = weights.reduce((all, v) => all + v, 0);
  const along = (data: Float32Array, length: number, step: number): Float32Array =>
    data.map((_, i) => {
      const place = Math.floor(i / step) % length;
      let value = 0;
      for (let k = -Math.min(radius, place); k <= radius && place + k < length; k++) {
        value += data[i + k * step] * weights[k + radius];
      }
      return value / sum;
    });
  return nd(
    along(along(x.data, w, 1), h, w).map((v) => Math.min(1, v)),
    [count, h, w],
  );
}

interface Margins {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** A canvas with the picture at a place (below 0: cut); its edges go on straight outwards, corners stay black. */
function extendedImage({ data, shape }: Image, { top, left, height, width }: Margins): Image {
  const [count, h, w, c] = shape;
  const out = zeros([count, height, width, c]);
  const inside = (v: number, size: number): number => Math.min(Math.max(v, 0), size - 1);
  for (let n = 0, to = 0; n < count; n++) {
    for (let y = 0; y < height; y++) {
      const row = inside(y - top, h);
      for (let x = 0; x < width; x++, to += c) {
        const column = inside(x - left, w);
        if (row !== y - top && column !== x - left) continue;
        const from = ((n * h + row) * w + column) * c;
        for (let k = 0; k < c; k++) out.data[to + k] = data[from + k];
      }
    }
  }
  return out;
}

/** The same of a mask, with one value outside. */
function extendedMask(x: Mask, { top, left, height, width }: Margins, value: number): Mask {
  const [count, h, w] = x.shape;
  const out = full([count, height, width], value);
  const first = Math.max(0, left);
  const last = Math.min(width, left + w);
  for (let n = 0; n < count; n++) {
    for (let y = Math.max(0, top); y < Math.min(height, top + h); y++) {
      const from = (n * h + y - top) * w - left;
      out.data.set(x.data.subarray(from + first, from + last), (n * height + y) * width + first);
    }
  }
  return out;
}

interface Factors {
  readonly up: number;
  readonly down: number;
  readonly left: number;
  readonly right: number;
}

/** More (or less) on each side, in shares of the picture; what is new is masked. */
export function outpainted({ image, mask, context }: Layers, by: Factors): Layers {
  const [, h, w] = image.shape;
  const to = {
    height: Math.trunc(h * (by.up + by.down - 1)),
    width: Math.trunc(w * (by.left + by.right - 1)),
    top: Math.trunc(h * (by.up - 1)),
    left: Math.trunc(w * (by.left - 1)),
  };
  if (to.height < 1 || to.width < 1) {
    throw new RangeError('extend_for_outpainting: nothing of the picture would be left');
  }
  return {
    image: extendedImage(image, to),
    mask: extendedMask(mask, to, 1),
    context: extendedMask(context, to, 0),
  };
}

/** What the mask covers, grown by a factor, and what the context covers; everything where neither has any. */
export function contextArea({ image, mask, context }: Layers, growth: number): Rectangle {
  const [, h, w] = image.shape;
  let area = boundsOf(mask) ?? { left: 0, top: 0, width: w, height: h };
  if (growth >= 1.01) {
    const by = (size: number): number =>
      roundHalfEven(Math.fround(Math.fround(size * Math.fround(growth - 1)) / 2));
    const [x, y] = [by(area.width), by(area.height)];
    const [left, top] = [Math.max(0, area.left - x), Math.max(0, area.top - y)];
    area = {
      left,
      top,
      width: Math.min(w, area.left + area.width + x) - left,
      height: Math.min(h, area.top + area.height + y) - top,
    };
  }
  const more = boundsOf(context);
  return more === undefined ? area : united(area, more);
}

function united(a: Rectangle, b: Rectangle): Rectangle {
  const [left, top] = [Math.min(a.left, b.left), Math.min(a.top, b.top)];
  return {
    left,
    top,
    width: Math.max(a.left + a.width, b.left + b.width) - left,
    height: Math.max(a.top + a.height, b.top + b.height) - top,
  };
}

/** Where a stretch begins so that it lies within a side, or evenly over both ends of one that is too short. */
function within(start: number, size: number, length: number): number {
  if (start >= 0 && start + size <= length) return start;
  if (size > length) return -Math.floor((size - length) / 2);
  return start < 0 ? 0 : length - size;
}

/** The area made larger until it has the aspect ratio of the target and, unscaled, its size. */
export function fitted(
  area: Rectangle,
  target: Size,
  [h, w]: readonly number[],
  scales: boolean,
): Rectangle {
  const ratio = target.width / target.height;
  let { left, top, width, height } = area;
  const widen = (to: number): void => {
    left = within(left - Math.floor((to - width) / 2), to, w);
    width = to;
  };
  const heighten = (to: number): void => {
    top = within(top - Math.floor((to - height) / 2), to, h);
    height = to;
  };
  if (width / height < ratio) widen(Math.trunc(height * ratio));
  else heighten(Math.trunc(width / ratio));
  if (!scales && width < target.width) widen(target.width);
  if (!scales && height < target.height) heighten(target.height);
  return { left, top, width, height };
}

/** The area cut out of a canvas that holds all of it. */
export function cutOut({ image, mask }: Layers, area: Rectangle) {
  const [, h, w] = image.shape;
  const [top, left] = [Math.max(0, -area.top), Math.max(0, -area.left)];
  const to = {
    top,
    left,
    height: top + Math.max(h, area.top + area.height),
    width: left + Math.max(w, area.left + area.width),
  };
  return {
    canvas: extendedImage(image, to),
    mask: extendedMask(mask, to, 1),
    picture: { left, top, width: w, height: h },
    cut: { ...area, left: area.left + left, top: area.top + top },
  };
}
