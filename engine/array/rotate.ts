/** Turned pictures, bit for bit what Pillow's `Image.rotate(…, BICUBIC, expand=True)` computes for RGBA. */
import type { Bytes } from './resample-bytes.ts';
import { premultiply, unpremultiply } from './premultiply.ts';

/** From where in the source a pixel of the result comes: (a·x + b·y + c, d·x + e·y + f). */
type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** RGBA turned counter-clockwise by degrees, on a canvas that holds all of it; the rest is transparent. */
export function rotateBytes(image: Bytes, degrees: number): Bytes {
  const angle = ((degrees % 360) + 360) % 360;
  if (angle === 0) return image;
  if (angle % 90 === 0) return quarterTurns(image, angle / 90);
  const { matrix, width, height } = inverse(image, angle);
  const source = { ...image, data: premultiply(image.data) };
  const out = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [px, py] = apply(matrix, x + 0.5, y + 0.5);
      bicubic(source, px, py, out, (y * width + x) * 4);
    }
  }
  unpremultiply(out);
  return { data: out, width, height, channels: 4 };
}

const apply = ([a, b, c, d, e, f]: Affine, x: number, y: number): [number, number] => [
  a * x + b * y + c,
  d * x + e * y + f,
];

function inverse(
  { width: w, height: h }: Bytes,
  angle: number,
): { matrix: Affine; width: number; height: number } {
  const radians = -angle * (Math.PI / 180);
  const [cos, sin] = [Math.cos(radians), Math.sin(radians)].map((v) => Number(v.toFixed(15)));
  /** The turn, moved by c and f as seen from a corner at (x, y). */
  const moved = (c: number, f: number, x: number, y: number): Affine => {
    const [toX, toY] = apply([cos, sin, c, -sin, cos, f], x, y);
    return [cos, sin, toX, -sin, cos, toY];
  };
  const turned = moved(0, 0, -(w / 2), -(h / 2));
  const around: Affine = [cos, sin, turned[2] + w / 2, -sin, cos, turned[5] + h / 2];
  const corners = [
    [0, 0],
    [w, 0],
    [w, h],
    [0, h],
  ].map(([x, y]) => apply(around, x, y));
  const [width, height] = [0, 1].map((axis) => {
    const places = corners.map((corner) => corner[axis]);
    return Math.ceil(Math.max(...places)) - Math.floor(Math.min(...places));
  });
  const matrix = moved(around[2], around[5], -(width - w) / 2, -(height - h) / 2);
  return { matrix, width, height };
}

function quarterTurns({ data, width: w, height: h, channels }: Bytes, turns: number): Bytes {
  const [width, height] = turns === 2 ? [w, h] : [h, w];
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [fromX, fromY] =
        turns === 1 ? [w - 1 - y, x] : turns === 2 ? [w - 1 - x, h - 1 - y] : [y, h - 1 - x];
      const from = (fromY * w + fromX) * channels;
      out.set(data.subarray(from, from + channels), (y * width + x) * channels);
    }
  }
  return { data: out, width, height, channels };
}

/** One pixel through cubics with a = -1 (Pillow's of transforms), cut to bytes; nothing outside of the source. */
function bicubic(source: Bytes, xin: number, yin: number, out: Uint8Array, to: number): void {
  const { data, width, height } = source;
  if (xin < 0 || xin >= width || yin < 0 || yin >= height) return;
  const [x, y] = [Math.floor(xin - 0.5), Math.floor(yin - 0.5)];
  const [dx, dy] = [xin - 0.5 - x, yin - 0.5 - y];
  const column = (i: number): number => Math.min(width - 1, Math.max(0, x - 1 + i)) * 4;
  const [x0, x1, x2, x3] = [column(0), column(1), column(2), column(3)];
  for (let c = 0; c < 4; c++) {
    const across = (row: number): number => {
      const at = row * width * 4 + c;
      return cubic(data[at + x0], data[at + x1], data[at + x2], data[at + x3], dx);
    };
    // A row above the picture is its first one, one below repeats the one before.
    const v0 = across(Math.max(0, y - 1));
    const v1 = y >= 0 && y < height ? across(y) : v0;
    const v2 = y + 1 < height ? across(y + 1) : v1;
    const v3 = y + 2 < height ? across(y + 2) : v2;
    const v = cubic(v0, v1, v2, v3, dy);
    out[to + c] = v <= 0 ? 0 : v >= 255 ? 255 : Math.trunc(v);
  }
}

function cubic(v1: number, v2: number, v3: number, v4: number, d: number): number {
  const p2 = -v1 + v3;
  const p3 = 2 * (v1 - v2) + v3 - v4;
  const p4 = -v1 + v2 - v3 + v4;
  return v2 + d * (p2 + d * (p3 + d * p4));
}
