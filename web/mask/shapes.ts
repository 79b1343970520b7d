import type { Area, Layer } from './layer.ts';

/** A shape to paint: where it lies, and how much of a pixel it covers there (0..255). */
export interface Shape {
  readonly area: Area;
  /** Writes the coverage of pixels x0..x1 of row y into `row`, from its start. */
  readonly row: (y: number, x0: number, x1: number, row: Uint8Array) => void;
}

/** A place of a stroke: in pixels of the picture, with the radius that the brush has there. */
export interface StrokePoint {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

/**
 * One piece of a brush stroke: all points nearer to the line between two places than the radius,
 * which goes evenly from the one to the other. `hardness` (0..1) is the part of the radius that is
 * covered in full; from there the cover falls smoothly to nothing, over a pixel at least.
 */
export function segment(from: StrokePoint, to: StrokePoint, hardness: number): Shape {
  const reach = Math.max(from.radius, to.radius) + 1;
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length = dx * dx + dy * dy;
  return {
    area: {
      x0: Math.floor(Math.min(from.x, to.x) - reach),
      y0: Math.floor(Math.min(from.y, to.y) - reach),
      x1: Math.ceil(Math.max(from.x, to.x) + reach),
      y1: Math.ceil(Math.max(from.y, to.y) + reach),
    },
    row(y, x0, x1, row) {
      const py = y + 0.5 - from.y;
      for (let x = x0; x < x1; x++) {
        const px = x + 0.5 - from.x;
        const along = length === 0 ? 0 : (px * dx + py * dy) / length;
        const t = along < 0 ? 0 : along > 1 ? 1 : along;
        const ex = px - t * dx;
        const ey = py - t * dy;
        const radius = from.radius + t * (to.radius - from.radius);
        const soft = Math.max(1, radius * (1 - hardness));
        const inside = (radius + 0.5 - Math.sqrt(ex * ex + ey * ey)) / soft;
        const c = inside <= 0 ? 0 : inside >= 1 ? 1 : inside * inside * (3 - 2 * inside);
        row[x - x0] = Math.round(255 * c);
      }
    },
  };
}

/** The rectangle between two corners, in whole pixels. */
export function rectangle(ax: number, ay: number, bx: number, by: number): Shape {
  const area = {
    x0: Math.round(Math.min(ax, bx)),
    y0: Math.round(Math.min(ay, by)),
    x1: Math.round(Math.max(ax, bx)),
    y1: Math.round(Math.max(ay, by)),
  };
  return { area, row: (_y, x0, x1, row) => void row.fill(255, 0, x1 - x0) };
}

/** The inside of a closed outline (even-odd rule); a pixel counts where its middle lies inside. */
export function polygon(points: readonly (readonly [x: number, y: number])[]): Shape {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const least = (list: readonly number[]): number =>
    list.reduce((a, b) => Math.min(a, b), Infinity);
  const most = (list: readonly number[]): number =>
    list.reduce((a, b) => Math.max(a, b), -Infinity);
  return {
    area: {
      x0: Math.floor(least(xs)),
      y0: Math.floor(least(ys)),
      x1: Math.ceil(most(xs)),
      y1: Math.ceil(most(ys)),
    },
    row(y, x0, x1, row) {
      row.fill(0, 0, x1 - x0);
      const middle = y + 0.5;
      const crossings: number[] = [];
      points.forEach(([ax, ay], i) => {
        const [bx, by] = points[(i + 1) % points.length];
        if (ay <= middle !== by <= middle) {
          crossings.push(ax + ((middle - ay) / (by - ay)) * (bx - ax));
        }
      });
      crossings.sort((a, b) => a - b);
      for (let i = 0; i + 1 < crossings.length; i += 2) {
        const from = Math.max(0, Math.ceil(crossings[i] - 0.5) - x0);
        const to = Math.min(x1 - x0, Math.ceil(crossings[i + 1] - 0.5) - x0);
        if (to > from) row.fill(255, from, to);
      }
    },
  };
}

/** Everything. */
export const everything = ({ width, height }: Pick<Layer, 'width' | 'height'>): Shape =>
  rectangle(0, 0, width, height);

/**
 * The pixels that hang together with the one at (x, y) and are like it: no channel differs by more
 * than `tolerance` (0..255). Scanline fill; each pixel is looked at a few times at most.
 */
export function flood(source: Layer, x: number, y: number, tolerance: number): Shape {
  const { width, height, channels, data } = source;
  const inside = new Uint8Array(width * height);
  const start = (y * width + x) * channels;
  const like = (pixel: number): boolean => {
    for (let c = 0; c < channels; c++) {
      if (Math.abs(data[pixel * channels + c] - data[start + c]) > tolerance) return false;
    }
    return true;
  };
  let [left, top, right, bottom] = [x, y, x, y];
  const stack = [y * width + x];
  while (stack.length > 0) {
    const seed = stack.pop() as number;
    if (inside[seed] !== 0) continue;
    const row = Math.floor(seed / width);
    const begin = row * width;
    let from = seed;
    while (from > begin && inside[from - 1] === 0 && like(from - 1)) from--;
    let to = seed + 1;
    while (to < begin + width && inside[to] === 0 && like(to)) to++;
    inside.fill(255, from, to);
    left = Math.min(left, from - begin);
    right = Math.max(right, to - 1 - begin);
    top = Math.min(top, row);
    bottom = Math.max(bottom, row);
    for (const step of [-width, width]) {
      if (row + Math.sign(step) < 0 || row + Math.sign(step) >= height) continue;
      let open = false;
      for (let at = from + step; at < to + step; at++) {
        const free = inside[at] === 0 && like(at);
        if (free && !open) stack.push(at);
        open = free;
      }
    }
  }
  return {
    area: { x0: left, y0: top, x1: right + 1, y1: bottom + 1 },
    row: (line, x0, x1, row) => row.set(inside.subarray(line * width + x0, line * width + x1)),
  };
}
