/** LAYERS: pictures on top of each other before they become one. */
import { createHash } from 'node:crypto';
import { rows } from '../array/batch.ts';
import type { NDArray } from '../array/nd.ts';
import { resizeMask } from '../array/resize.ts';
import { clamp, roundHalfEven } from '../array/round.ts';
import { LAYER_MODES } from '../array/layer-blend.ts';
import { NoodleError } from '../errors.ts';
import { pythonRepr } from '../python/repr.ts';
import { Float } from '../workflow/lossless-json.ts';
import { isMembers } from './boxes.ts';
import type { Image, Mask } from './media.ts';

/** One picture or a batch of them, every one a layer; the members have the names that the reference gives them. */
export interface LayerItem {
  readonly image: Image;
  readonly type?: string;
  /** 1 where the picture is transparent; of each picture, or one for all. */
  readonly mask?: Mask;
  readonly name?: string;
  /** The upper left corner on the canvas, in pixels. */
  readonly x?: number;
  readonly y?: number;
  /** The size on the canvas; the picture's own when it is not said. */
  readonly w?: number;
  readonly h?: number;
  /** Clockwise, in radians. */
  readonly rotation?: number;
  readonly opacity?: number;
  readonly blend_mode?: string;
  /** Higher ones lie above; among equals the later ones. */
  readonly z_index?: number;
  readonly visible?: boolean;
  readonly flip_h?: boolean;
  readonly flip_v?: boolean;
}

export interface Layers {
  readonly version: 1;
  readonly layers: readonly LayerItem[];
  /** Width and height; what the layers need when it is not said. */
  readonly canvas?: readonly [width: number, height: number];
}

/** One picture of an item, with everything said. */
export interface Layer {
  /** [1, h, w, 3 or 4]. */
  readonly image: Image;
  /** [1, h, w], 1 where it is opaque; none where it is opaque everywhere. */
  readonly alpha?: NDArray;
  readonly name: string | null;
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
  readonly rotation: number;
  readonly opacity: number;
  readonly blend: string;
  readonly visible: boolean;
  readonly flipH: boolean;
  readonly flipV: boolean;
}

const MOST_LAYERS = 50;

/** An earlier LAYERS value, as far as it is one. */
export const layersOf = (given: unknown): Layers | undefined =>
  isMembers(given) ? (given as unknown as Layers) : undefined;

/** The items of a value; none of what holds none. */
export const itemsOf = (given: Layers | undefined): readonly LayerItem[] =>
  Array.isArray(given?.layers) ? (given.layers as readonly LayerItem[]) : [];

/** The canvas that a value names. */
export function canvasOf(given: Layers | undefined): readonly [number, number] | undefined {
  const canvas = given?.canvas;
  if (!Array.isArray(canvas) || canvas.length !== 2) return undefined;
  const [w, h] = canvas.map((side) => whole(side, 0));
  return w > 0 && h > 0 ? [w, h] : undefined;
}

/** A number cut to an integer, `otherwise` where it is none. */
export const whole = (value: unknown, otherwise: number): number =>
  typeof value === 'number' && Number.isFinite(value) ? Math.trunc(value) : otherwise;

/** The mask of a batch's picture, [1, h, w]: a single one is for all. */
export function maskOf(mask: Mask | undefined, index: number): Mask | undefined {
  if (!mask) return undefined;
  const at = mask.shape[0] === 1 ? 0 : index;
  return at < mask.shape[0] ? rows(mask, at, at + 1) : undefined;
}

function refuse(expected: string, got: unknown): never {
  throw new NoodleError('BAD_INPUT', { subject: 'layers', expected, got });
}

/** The layers of a value from the lowest to the highest. Throws BAD_INPUT for versions and types that are unknown. */
export function expandLayers(given: unknown): Layer[] {
  const value = layersOf(given);
  if (value?.version !== undefined && (value.version as number) !== 1) {
    refuse('version 1', value.version);
  }
  const items = itemsOf(value).filter((item) => isMembers(item) && item.image?.shape.length === 4);
  for (const { type = 'raster', blend_mode: mode = 'normal', image } of items) {
    if (type !== 'raster') refuse("items of type 'raster'", type);
    if (!LAYER_MODES.includes(mode)) refuse(`a blend mode of ${LAYER_MODES.join(', ')}`, mode);
    if (![3, 4].includes(image.shape[3])) refuse('pictures of 3 or 4 channels', image.shape);
  }
  const order = [...items].sort((a, b) => whole(a.z_index, 0) - whole(b.z_index, 0));
  const layers = order.flatMap((item) =>
    Array.from({ length: item.image.shape[0] }, (_, index) => layerOf(item, index)),
  );
  if (layers.length > MOST_LAYERS) refuse(`at most ${MOST_LAYERS} layers`, layers.length);
  return layers;
}

function layerOf(item: LayerItem, index: number): Layer {
  const image = rows(item.image, index, index + 1);
  const [, height, width] = image.shape;
  const [w, h] = [whole(item.w, 0), whole(item.h, 0)];
  return {
    image,
    alpha: alphaOf(image, maskOf(item.mask, index)),
    name: typeof item.name === 'string' ? item.name : null,
    x: whole(item.x, 0),
    y: whole(item.y, 0),
    w: w > 0 ? w : width,
    h: h > 0 ? h : height,
    rotation: typeof item.rotation === 'number' ? item.rotation : 0,
    opacity: typeof item.opacity === 'number' ? item.opacity : 1,
    blend: item.blend_mode ?? 'normal',
    visible: item.visible ?? true,
    flipH: item.flip_h === true,
    flipV: item.flip_v === true,
  };
}

/** The picture's own alpha, times what its mask leaves. */
function alphaOf(image: Image, mask: Mask | undefined): NDArray | undefined {
  const [, h, w, channels] = image.shape;
  if (!mask && channels < 4) return undefined;
  const fits = mask?.shape[1] === h && mask.shape[2] === w;
  const fit = mask && !fits ? resizeMask(mask, w, h, 'bilinear') : mask;
  const out = new Float32Array(h * w);
  for (let i = 0; i < out.length; i++) {
    const own = channels === 4 ? image.data[i * 4 + 3] : 1;
    out[i] = fit ? own * clamp(Math.fround(1 - fit.data[i]), 0, 1) : own;
  }
  return { data: out, shape: [1, h, w] };
}

/** fp32 numbers as bytes, rounded to the nearest. */
export const roundedByte = (v: number): number =>
  clamp(roundHalfEven(Math.fround(v * 255)), 0, 255);

/** What the editor knows layers by: 16 digits of a hash over pixels and placement, the reference's. */
export function fingerprint(layer: Layer): string {
  const { image, alpha } = layer;
  const channels = image.shape[3];
  const rgb = new Uint8Array((image.data.length / channels) * 3);
  for (let i = 0; i < rgb.length; i++) {
    rgb[i] = roundedByte(image.data[Math.floor(i / 3) * channels + (i % 3)]);
  }
  const hash = createHash('sha256').update(tuple(image.shape)).update(rgb);
  if (alpha) hash.update(Uint8Array.from(alpha.data, roundedByte));
  const { x, y, w, h, rotation, opacity, blend, visible, flipH, flipV } = layer;
  const placed = [x, y, w, h, new Float(rotation), new Float(opacity), blend];
  return hash
    .update(tuple([...placed, visible, flipH, flipV]))
    .digest('hex')
    .slice(0, 16);
}

const tuple = (items: readonly unknown[]): string => `(${items.map(pythonRepr).join(', ')})`;
