/** Filled shapes on pictures of bytes, their edges hard, parts outside left out. */
import type { Bytes } from './resample-bytes.ts';
import { roundHalfEven } from './round.ts';

export type Canvas = Bytes & { readonly data: Uint8Array };
export type Colour = readonly number[];
export type Point = readonly [x: number, y: number];

/** Pixels from x = `from` to `to` (both included) of row y. */
export function fillRow(canvas: Canvas, y: number, from: number, to: number, colour: Colour): void {
  const { data, width, height, channels } = canvas;
  if (y < 0 || y >= height) return;
  const [first, last] = [Math.max(0, from), Math.min(width - 1, to)];
  for (let x = first; x <= last; x++) {
    const at = (y * width + x) * channels;
    for (let c = 0; c < channels; c++) data[at + c] = colour[c];
  }
}

/** All pixels whose middle is at most `radius` from `centre`'s, both in whole pixels. */
export function fillCircle(canvas: Canvas, [cx, cy]: Point, radius: number, colour: Colour): void {
  const reach = Math.floor(radius);
  for (let dy = -reach; dy <= reach; dy++) {
    const half = Math.floor(Math.sqrt(radius * radius - dy * dy));
    fillRow(canvas, cy + dy, cx - half, cx + half, colour);
  }
}

/** A circle at every pixel of Bresenham's line. */
export function fillLine(
  canvas: Canvas,
  [x0, y0]: Point,
  [x1, y1]: Point,
  radius: number,
  colour: Colour,
): void {
  const [dx, dy] = [Math.abs(x1 - x0), Math.abs(y1 - y0)];
  const [stepX, stepY] = [x0 < x1 ? 1 : -1, y0 < y1 ? 1 : -1];
  let [x, y, error] = [x0, y0, dx - dy];
  for (;;) {
    fillCircle(canvas, [x, y], radius, colour);
    if (x === x1 && y === y1) return;
    const twice = 2 * error;
    if (twice > -dy) [error, x] = [error - dy, x + stepX];
    if (twice < dx) [error, y] = [error + dx, y + stepY];
  }
}

/** What an odd number of the polygon's edges has on its left, inside the box of its points. */
export function fillPolygon(canvas: Canvas, points: readonly Point[], colour: Colour): void {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const right = Math.max(...xs);
  const bottom = Math.min(canvas.height - 1, Math.max(...ys));
  for (let y = Math.max(0, Math.min(...ys)); y <= bottom; y++) {
    const crossings: number[] = [];
    points.forEach(([x1, y1], i) => {
      const [x2, y2] = points[(i + 1) % points.length];
      if (y < Math.min(y1, y2) || y >= Math.max(y1, y2)) return;
      const [[fx, fy], [tx, ty]] =
        y1 < y2
          ? [
              [x1, y1],
              [x2, y2],
            ]
          : [
              [x2, y2],
              [x1, y1],
            ];
      crossings.push(Math.ceil(fx + ((y - fy) * (tx - fx)) / (ty - fy)));
    });
    crossings.sort((a, b) => a - b);
    for (let i = 0; i < crossings.length; i += 2) {
      fillRow(canvas, y, crossings[i], (crossings[i + 1] ?? right + 1) - 1, colour);
    }
  }
}

/** A turned ellipse (angle in whole degrees, clockwise) as a polygon of whole pixels, a point a degree. */
export function ellipsePoints([cx, cy]: Point, axes: Point, angle: number): Point[] {
  const [a, b] = [axes[0] + 0.5, axes[1] + 0.5];
  const radians = (degrees: number): number => degrees * (Math.PI / 180);
  const turn = radians(((angle % 360) + 360) % 360);
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const points: Point[] = [];
  for (let degree = 0; degree <= 360; degree++) {
    const [x, y] = [a * Math.cos(radians(degree)), b * Math.sin(radians(degree))];
    const point: Point = [
      roundHalfEven(cx + x * cos - y * sin),
      roundHalfEven(cy + x * sin + y * cos),
    ];
    const last = points.at(-1);
    if (last?.[0] !== point[0] || last[1] !== point[1]) points.push(point);
  }
  return points;
}
