import { isEmpty, overlap, wholeOf, type Area, type Layer } from './layer.ts';
import type { Shape } from './shapes.ts';

/**
 * What a pixel becomes where it was covered: `before` and `out` are whole tiles, `at` the byte of
 * the pixel, `cover` 0..1.
 */
export type Blend = (
  out: Uint8ClampedArray,
  before: Uint8ClampedArray,
  at: { readonly out: number; readonly before: number },
  cover: number,
) => void;

/** Brings the mask's value towards one (255 masked, 0 free). */
export const towards =
  (value: number): Blend =>
  (out, before, at, cover) => {
    out[at.out] = before[at.before] + (value - before[at.before]) * cover;
  };

/** Turns the mask around. */
export const inverted: Blend = (out, before, at) => {
  out[at.out] = 255 - before[at.before];
};

/** Lays a colour over the paint (source over, straight alpha). */
export const coloured =
  ([r, g, b]: readonly [number, number, number]): Blend =>
  (out, before, at, cover) => {
    const under = (before[at.before + 3] / 255) * (1 - cover);
    const alpha = cover + under;
    if (alpha === 0) return;
    const mix = (colour: number, c: number): number =>
      (colour * cover + before[at.before + c] * under) / alpha;
    out[at.out] = mix(r, 0);
    out[at.out + 1] = mix(g, 1);
    out[at.out + 2] = mix(b, 2);
    out[at.out + 3] = 255 * alpha;
  };

/** Takes paint away. */
export const faded: Blend = (out, before, at, cover) => {
  for (let c = 0; c < 3; c++) out[at.out + c] = before[at.before + c];
  out[at.out + 3] = before[at.before + 3] * (1 - cover);
};

/** Tiles of this many pixels a side are what an edit keeps of the layer as it was. */
const side = 256;

interface Tile {
  readonly area: Area;
  readonly before: Uint8ClampedArray;
  /** How much of each pixel the edit covers so far, 0..255. */
  readonly cover: Uint8Array;
}

/** One step of painting that can be taken back: a stroke, a fill, an inversion. */
export interface Edit {
  /** Paints a shape; where it overlaps what this edit painted before, the stronger one holds. */
  paint(shape: Shape): Area;
  /** Ends the edit: what it changed. */
  done(): Change;
}

/** Pixels that an edit changed, as they were before; `swap` brings them back, and again forth. */
export interface Change {
  readonly layer: Layer;
  readonly bytes: number;
  readonly area: Area;
  readonly swap: () => void;
}

/** Begins to paint on a layer, at most as strong as `opacity` (0..1). */
export function beginEdit(layer: Layer, blend: Blend, opacity = 1): Edit {
  const { width, channels, data } = layer;
  const columns = Math.ceil(width / side);
  const tiles = new Map<number, Tile>();
  const tileAt = (column: number, row: number): Tile => {
    const key = row * columns + column;
    let tile = tiles.get(key);
    if (tile === undefined) {
      const corner = { x0: column * side, y0: row * side };
      const area = overlap(
        { ...corner, x1: corner.x0 + side, y1: corner.y0 + side },
        wholeOf(layer),
      );
      tile = {
        area,
        before: copyOut(layer, area),
        cover: new Uint8Array((area.x1 - area.x0) * (area.y1 - area.y0)),
      };
      tiles.set(key, tile);
    }
    return tile;
  };
  const row = new Uint8Array(side);
  const at = { out: 0, before: 0 };

  const paintTile = ({ area, before, cover }: Tile, shape: Shape, part: Area): void => {
    for (let y = part.y0; y < part.y1; y++) {
      shape.row(y, part.x0, part.x1, row);
      const line = (y - area.y0) * (area.x1 - area.x0) - area.x0;
      for (let x = part.x0; x < part.x1; x++) {
        const now = row[x - part.x0];
        if (now <= cover[line + x]) continue;
        cover[line + x] = now;
        at.before = (line + x) * channels;
        at.out = (y * width + x) * channels;
        blend(data, before, at, (now / 255) * opacity);
      }
    }
  };

  return {
    paint(shape) {
      const area = overlap(shape.area, wholeOf(layer));
      if (isEmpty(area)) return area;
      for (let r = Math.floor(area.y0 / side); r * side < area.y1; r++) {
        for (let c = Math.floor(area.x0 / side); c * side < area.x1; c++) {
          const tile = tileAt(c, r);
          paintTile(tile, shape, overlap(area, tile.area));
        }
      }
      return area;
    },
    done: () => changeOf(layer, [...tiles.values()]),
  };
}

function changeOf(layer: Layer, tiles: readonly Tile[]): Change {
  let stored = tiles.map(({ area, before }) => ({ area, pixels: before }));
  const edge = (pick: (area: Area) => number, choose: (...all: number[]) => number): number =>
    stored.length === 0 ? 0 : stored.map(({ area }) => pick(area)).reduce((a, b) => choose(a, b));
  return {
    layer,
    bytes: stored.reduce((sum, { pixels }) => sum + pixels.length, 0),
    area: {
      x0: edge((a) => a.x0, Math.min),
      y0: edge((a) => a.y0, Math.min),
      x1: edge((a) => a.x1, Math.max),
      y1: edge((a) => a.y1, Math.max),
    },
    swap() {
      stored = stored.map(({ area, pixels }) => {
        const now = copyOut(layer, area);
        copyIn(layer, area, pixels);
        return { area, pixels: now };
      });
    },
  };
}

/** The pixels of an area, row by row. */
export function copyOut(
  { width, channels, data }: Layer,
  area: Area,
): Uint8ClampedArray<ArrayBuffer> {
  const line = (area.x1 - area.x0) * channels;
  const out = new Uint8ClampedArray(line * (area.y1 - area.y0));
  for (let y = area.y0; y < area.y1; y++) {
    const from = (y * width + area.x0) * channels;
    out.set(data.subarray(from, from + line), (y - area.y0) * line);
  }
  return out;
}

function copyIn({ width, channels, data }: Layer, area: Area, pixels: Uint8ClampedArray): void {
  const line = (area.x1 - area.x0) * channels;
  for (let y = area.y0; y < area.y1; y++) {
    const from = (y - area.y0) * line;
    data.set(pixels.subarray(from, from + line), (y * width + area.x0) * channels);
  }
}
