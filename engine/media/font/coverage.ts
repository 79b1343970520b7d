/** How much of each pixel an outline covers, filled and with a border of some width around it. */
import type { OutlinePoint } from './truetype.ts';

/** Whole pixels; (left, top) is where the first one lies, y downwards from the baseline. */
export interface Extent {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Bytes of coverage. */
export interface Coverage extends Extent {
  readonly data: Uint8Array;
}

/** A line from (x0, y0) to (x1, y1) in pixels, y downwards. */
type Segment = readonly [x0: number, y0: number, x1: number, y1: number];

/** Pixels that a flattened curve may be off. */
const FLATNESS = 0.05;

/**
 * The outline, `scale` pixels a font unit, with a border of `stroke` pixels outside. Coverage of the filled part is
 * exact, that of the border by the distance of a pixel's middle. Empty for outlines of nothing.
 */
export function coverageOf(
  contours: readonly (readonly OutlinePoint[])[],
  scale: number,
  stroke: number,
): Coverage {
  const segments = contours.flatMap((contour) => flatten(contour, scale));
  const extent = around(segments, stroke);
  const { left, top, width, height } = extent;
  const moved = segments.map(([x0, y0, x1, y1]): Segment => [
    x0 - left,
    y0 - top,
    x1 - left,
    y1 - top,
  ]);
  const filled = fill(moved, width, height);
  if (stroke > 0) addBorder(filled, moved, width, height, stroke);
  const data = Uint8Array.from(filled, (v) => Math.min(255, Math.trunc(v * 256)));
  return { ...extent, data };
}

/** Where the outline and its border lie, which costs far less than their coverage. */
export const extentOf = (
  contours: readonly (readonly OutlinePoint[])[],
  scale: number,
  stroke: number,
): Extent =>
  around(
    contours.flatMap((contour) => flatten(contour, scale)),
    stroke,
  );

function around(segments: readonly Segment[], stroke: number): Extent {
  if (segments.length === 0) return { left: 0, top: 0, width: 0, height: 0 };
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x0, y0, x1, y1] of segments) {
    left = Math.min(left, x0, x1);
    right = Math.max(right, x0, x1);
    top = Math.min(top, y0, y1);
    bottom = Math.max(bottom, y0, y1);
  }
  [left, top] = [Math.floor(left - stroke), Math.floor(top - stroke)];
  const [width, height] = [Math.ceil(right + stroke) - left, Math.ceil(bottom + stroke) - top];
  return { left, top, width, height };
}

/** A contour as lines; between two points off the curve lies one on it. */
function flatten(contour: readonly OutlinePoint[], scale: number): Segment[] {
  const points = contour.flatMap((point, i) => {
    const next = contour[(i + 1) % contour.length];
    const middle = { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2, on: true };
    return point.on || next.on ? [point] : [point, middle];
  });
  const start = points.findIndex(({ on }) => on);
  if (start < 0) return [];
  const out: Segment[] = [];
  const ring = [...points.slice(start), ...points.slice(0, start), points[start]];
  let [x, y] = [ring[0].x * scale, -ring[0].y * scale];
  const to = (nx: number, ny: number): void => {
    out.push([x, y, nx, ny]);
    [x, y] = [nx, ny];
  };
  for (let i = 1; i < ring.length; i++) {
    const [px, py] = [ring[i].x * scale, -ring[i].y * scale];
    if (ring[i].on) {
      to(px, py);
      continue;
    }
    const end = ring[++i];
    const [fx, fy, ex, ey] = [x, y, end.x * scale, -end.y * scale];
    const bend = Math.hypot(fx - 2 * px + ex, fy - 2 * py + ey);
    const steps = Math.max(1, Math.ceil(Math.sqrt(bend / (4 * FLATNESS))));
    for (let k = 1; k <= steps; k++) {
      const t = k / steps;
      const [a, b, c] = [(1 - t) ** 2, 2 * t * (1 - t), t * t];
      to(a * fx + b * px + c * ex, a * fy + b * py + c * ey);
    }
  }
  return out;
}

/** Signed areas, row by row, summed from the left (as font-rs and FreeType's smooth rasteriser do). */
function fill(segments: readonly Segment[], width: number, height: number): Float32Array {
  const stride = width + 2;
  const sums = new Float32Array(stride * height);
  for (const segment of segments) addArea(sums, stride, height, segment);
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    let sum = 0;
    for (let x = 0; x < width; x++) {
      sum += sums[y * stride + x];
      out[y * width + x] = Math.min(1, Math.abs(sum));
    }
  }
  return out;
}

function addArea(sums: Float32Array, stride: number, height: number, segment: Segment): void {
  const down = segment[1] < segment[3];
  const [x0, y0, x1, y1] = down ? segment : [segment[2], segment[3], segment[0], segment[1]];
  if (y0 === y1) return;
  const slope = (x1 - x0) / (y1 - y0);
  let x = x0;
  for (let y = Math.floor(y0); y < Math.min(height, Math.ceil(y1)); y++) {
    const dy = Math.min(y + 1, y1) - Math.max(y, y0);
    const next = x + slope * dy;
    const d = down ? dy : -dy;
    const [a, b] = x < next ? [x, next] : [next, x];
    addSpan(sums, y * stride, a, b, d);
    x = next;
  }
}

/** A piece of a line inside one row, from a to b, that goes d down: what lies right of it, by pixel. */
function addSpan(sums: Float32Array, row: number, a: number, b: number, d: number): void {
  const first = Math.floor(a);
  const last = Math.max(first, Math.ceil(b) - 1);
  let before = 0;
  for (let x = first; x <= last; x++) {
    // The part of the piece that is left of the pixel's right side, and the mean of what it leaves free.
    const [from, to] = [Math.max(a, x), Math.min(b, x + 1)];
    const share = b > a ? (to - from) / (b - a) : 1;
    const inside = share * (x + 1 - (b > a ? (from + to) / 2 : a));
    const passed = b > a ? Math.max(0, from - a) / (b - a) : 0;
    const covered = d * (passed + inside);
    sums[row + x] += covered - before;
    before = covered;
  }
  sums[row + last + 1] += d - before;
}

/** Covers pixels whose middle is nearer than `radius` to a line, half a pixel around the edge in part. */
function addBorder(
  coverage: Float32Array,
  segments: readonly Segment[],
  width: number,
  height: number,
  radius: number,
): void {
  const reach = radius + 0.5;
  const longest = 4 * radius + 8;
  for (const [fromX, fromY, toX, toY] of segments) {
    // In pieces, so that the box around a long slanted line is not all of the glyph.
    const pieces = Math.max(1, Math.ceil(Math.hypot(toX - fromX, toY - fromY) / longest));
    const [dx, dy] = [(toX - fromX) / pieces, (toY - fromY) / pieces];
    const square = dx * dx + dy * dy;
    for (let k = 0; k < pieces; k++) {
      const [x0, y0] = [fromX + dx * k, fromY + dy * k];
      const bottom = Math.min(height, Math.ceil(Math.max(y0, y0 + dy) + reach));
      const right = Math.min(width, Math.ceil(Math.max(x0, x0 + dx) + reach));
      const left = Math.max(0, Math.floor(Math.min(x0, x0 + dx) - reach));
      for (let y = Math.max(0, Math.floor(Math.min(y0, y0 + dy) - reach)); y < bottom; y++) {
        for (let x = left; x < right; x++) {
          const [px, py] = [x + 0.5 - x0, y + 0.5 - y0];
          const along = square > 0 ? Math.min(1, Math.max(0, (px * dx + py * dy) / square)) : 0;
          const [awayX, awayY] = [px - along * dx, py - along * dy];
          const far = awayX * awayX + awayY * awayY;
          if (far >= reach * reach) continue;
          const at = y * width + x;
          coverage[at] = Math.max(coverage[at], Math.min(1, reach - Math.sqrt(far)));
        }
      }
    }
  }
}
