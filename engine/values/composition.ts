/** What the layer editor saves, and layers put together into one picture. */
import { type LinearPicture, blendLayer } from '../array/layer-blend.ts';
import { hexColour } from '../array/hex-colour.ts';
import { linearToSrgb, srgbToLinear } from '../array/lab.ts';
import { type Bytes, lanczosBytes } from '../array/resample-bytes.ts';
import { type NDArray, nd } from '../array/nd.ts';
import { checkPictureSize } from '../array/picture-size.ts';
import { rotateBytes } from '../array/rotate.ts';
import { clamp, roundHalfEven } from '../array/round.ts';
import { isMembers } from './boxes.ts';
import { type Layer, roundedByte } from './layers.ts';

type Members = Readonly<Record<string, unknown>>;

/** How one layer is placed and blended; sizes and places in pixels, the rotation in radians, clockwise. */
export interface Placement {
  readonly visible: boolean;
  readonly opacity: number;
  readonly blend: string;
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
  readonly rotation: number;
  readonly flipH: boolean;
  readonly flipV: boolean;
}

export interface Composition {
  readonly canvas: readonly [width: number, height: number];
  /** By layer. */
  readonly placements: readonly Placement[];
  /** The layers from the lowest to the highest, where it is not their own order. */
  readonly order?: readonly number[];
  readonly background?: { readonly colour: readonly number[]; readonly opacity: number };
}

const LARGEST_SIDE = 16384;

/**
 * A saved composition of just these layers (`prints` are their fingerprints); undefined where none is saved, what is
 * saved is no composition, or one of other layers.
 */
export function readComposition(
  saved: unknown,
  layers: readonly Layer[],
  prints: readonly string[],
): Composition | undefined {
  const state = typeof saved === 'string' ? parsed(saved) : saved;
  if (!isMembers(state) || ![undefined, null, 1].includes(state.version as number))
    return undefined;
  const { canvas, inputs, layers: entries } = state;
  if (!isMembers(canvas) || !Array.isArray(entries) || !Array.isArray(inputs)) return undefined;
  const [w, h] = [canvas.w, canvas.h].map((side) => roundHalfEven(Number(side ?? NaN)));
  const same = inputs.length === prints.length && prints.every((print, i) => inputs[i] === print);
  if (!(w > 0 && h > 0) || layers.length === 0 || !same || entries.length !== layers.length) {
    return undefined;
  }
  return {
    canvas: [w, h],
    placements: layers.map((layer, i) => readPlacement(entries[i], layer)),
    order: readOrder(state.order, layers.length),
    background: readBackground(state.background),
  };
}

/** Whether anything is saved at all. */
export const isSaved = (saved: unknown): boolean =>
  typeof saved === 'string'
    ? saved !== '' && saved !== '{}'
    : isMembers(saved) && Object.keys(saved).length > 0;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const truthy = (value: unknown, otherwise: boolean): boolean =>
  value === undefined ? otherwise : Boolean(value);

const finite = (of: Members, key: string, otherwise: number): number => {
  const value = of[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise;
};

/** It comes from outside: numbers are limited to what makes sense. */
function readPlacement(entry: unknown, { image }: Layer): Placement {
  const given = isMembers(entry) ? entry : {};
  const transform = isMembers(given.transform) ? given.transform : {};
  const place = (key: string): number =>
    clamp(finite(transform, key, 0), -LARGEST_SIDE, LARGEST_SIDE);
  const size = (key: string, natural: number): number => {
    const side = finite(transform, key, natural);
    return side <= 0 ? natural : Math.min(side, LARGEST_SIDE);
  };
  return {
    visible: truthy(given.visible, true),
    opacity: clamp(finite(given, 'opacity', 1), 0, 1),
    blend: typeof given.blend === 'string' ? given.blend : 'normal',
    x: place('x'),
    y: place('y'),
    w: size('w', image.shape[2]),
    h: size('h', image.shape[1]),
    rotation: finite(transform, 'rotation', 0),
    flipH: truthy(given.flipH, false),
    flipV: truthy(given.flipV, false),
  };
}

function readOrder(given: unknown, count: number): readonly number[] | undefined {
  if (!Array.isArray(given) || given.length !== count) return undefined;
  const sorted = [...(given as number[])].sort((a, b) => a - b);
  return sorted.every((v, i) => v === i) ? (given as number[]) : undefined;
}

function readBackground(given: unknown): Composition['background'] {
  if (!isMembers(given) || !truthy(given.visible, true)) return undefined;
  const text = typeof given.color === 'string' ? given.color.trim().toLowerCase() : '';
  const digits = /^#([0-9a-f]{3}|[0-9a-f]{6})$/.exec(text)?.[1] ?? 'ffffff';
  const long = digits.length === 3 ? digits.replace(/./g, '$&$&') : digits;
  const opacity = clamp(finite(given, 'opacity', 1), 0, 1);
  return { colour: hexColour(long) ?? [255, 255, 255], opacity };
}

/** Layers as they say themselves that they lie, on a canvas of that size or on one that holds all of them. */
export function ownComposition(
  layers: readonly Layer[],
  canvas: readonly [number, number] | undefined,
): Composition {
  const placements = layers.map((layer) => ({
    ...layer,
    x: clamp(layer.x, -LARGEST_SIDE, LARGEST_SIDE),
    y: clamp(layer.y, -LARGEST_SIDE, LARGEST_SIDE),
    w: Math.min(layer.w, LARGEST_SIDE),
    h: Math.min(layer.h, LARGEST_SIDE),
    opacity: clamp(layer.opacity, 0, 1),
  }));
  const bounds = layers.map(boundsOf);
  const needed = [
    Math.max(1, ...bounds.map(({ left, width }) => left + width)),
    Math.max(1, ...bounds.map(({ top, height }) => top + height)),
  ] as const;
  return { canvas: canvas ?? needed, placements };
}

interface Bounds {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The whole pixels that a placed, turned rectangle touches. */
function boundsOf({
  x,
  y,
  w,
  h,
  rotation,
}: Pick<Placement, 'x' | 'y' | 'w' | 'h' | 'rotation'>): Bounds {
  const [cos, sin] = [Math.cos(rotation), Math.sin(rotation)];
  const corners = [
    [-w / 2, -h / 2],
    [w / 2, -h / 2],
    [w / 2, h / 2],
    [-w / 2, h / 2],
  ];
  const xs = corners.map(([dx, dy]) => x + w / 2 + dx * cos - dy * sin);
  const ys = corners.map(([dx, dy]) => y + h / 2 + dx * sin + dy * cos);
  const [left, top] = [Math.floor(Math.min(...xs)), Math.floor(Math.min(...ys))];
  const width = Math.max(1, Math.ceil(Math.max(...xs)) - left);
  const height = Math.max(1, Math.ceil(Math.max(...ys)) - top);
  return { left, top, width, height };
}

/**
 * The layers as one picture [1, h, w, 4] in sRGB; `onLayer` hears how many are done. Throws BAD_INPUT where the canvas or
 * a layer is too large.
 */
export function compose(
  layers: readonly Layer[],
  { canvas: [width, height], placements, order, background }: Composition,
  onLayer: (done: number) => void,
): NDArray {
  checkPictureSize('canvas', width, height, LARGEST_SIDE);
  const data = new Float32Array(width * height * 4);
  const canvas = { data, width, height };
  if (background && background.opacity > 0) fill(canvas, background);
  (order ?? layers.map((_, i) => i)).forEach((index, done) => {
    const placement = placements[index];
    if (placement.visible) addLayer(canvas, layers[index], placement);
    onLayer(done + 1);
  });
  for (let i = 0; i < data.length; i++) {
    const v = clamp(data[i], 0, 1);
    data[i] = i % 4 === 3 ? v : linearToSrgb(v);
  }
  return nd(data, [1, height, width, 4]);
}

function fill(
  { data }: LinearPicture,
  { colour, opacity }: NonNullable<Composition['background']>,
): void {
  const light = colour.map((v) => srgbToLinear(v / 255));
  for (let i = 0; i < data.length; i++) data[i] = i % 4 === 3 ? opacity : light[i % 4];
}

function addLayer(canvas: LinearPicture, layer: Layer, placement: Placement): void {
  const bounds = boundsOf(placement);
  const inside = (at: number, size: number, side: number): boolean => at < side && at + size > 0;
  if (!inside(bounds.left, bounds.width, canvas.width)) return;
  if (!inside(bounds.top, bounds.height, canvas.height)) return;
  const bitmap = bitmapOf(layer, placement);
  // The turned picture sits in the middle of its bounds, cut to them and to the canvas.
  const x = bounds.left + Math.floor((bounds.width - bitmap.width) / 2);
  const y = bounds.top + Math.floor((bounds.height - bitmap.height) / 2);
  const left = Math.max(x, bounds.left, 0);
  const top = Math.max(y, bounds.top, 0);
  const right = Math.min(x + bitmap.width, bounds.left + bounds.width, canvas.width);
  const bottom = Math.min(y + bitmap.height, bounds.top + bounds.height, canvas.height);
  if (right <= left || bottom <= top) return;
  const part = { left: left - x, top: top - y, width: right - left, height: bottom - top };
  const { blend: mode, opacity } = placement;
  blendLayer(canvas, linearPart(bitmap, part), { left, top, mode, opacity });
}

/** The layer's bytes in its size, mirrored and turned. */
function bitmapOf({ image, alpha }: Layer, placement: Placement): Bytes {
  const [, height, width, channels] = image.shape;
  const target = [placement.w, placement.h].map((side) => Math.max(1, roundHalfEven(side)));
  checkPictureSize('layer', target[0], target[1], LARGEST_SIDE);
  const data = new Uint8Array(width * height * 4);
  for (let y = 0, to = 0; y < height; y++) {
    const fromY = placement.flipV ? height - 1 - y : y;
    for (let x = 0; x < width; x++, to += 4) {
      const from = fromY * width + (placement.flipH ? width - 1 - x : x);
      for (let c = 0; c < 3; c++) data[to + c] = roundedByte(image.data[from * channels + c]);
      data[to + 3] = alpha ? roundedByte(alpha.data[from]) : 255;
    }
  }
  const sized = lanczosBytes({ data, width, height, channels: 4 }, target[0], target[1]);
  return rotateBytes(sized, -placement.rotation * (180 / Math.PI));
}

const LINEAR = Float32Array.from({ length: 256 }, (_, v) => srgbToLinear(Math.fround(v / 255)));

function linearPart({ data, width }: Bytes, part: Bounds): LinearPicture {
  const out = new Float32Array(part.width * part.height * 4);
  for (let y = 0, to = 0; y < part.height; y++) {
    let from = ((part.top + y) * width + part.left) * 4;
    for (let x = 0; x < part.width; x++, to += 4, from += 4) {
      for (let c = 0; c < 3; c++) out[to + c] = LINEAR[data[from + c]];
      out[to + 3] = data[from + 3] / 255;
    }
  }
  return { data: out, width: part.width, height: part.height };
}
