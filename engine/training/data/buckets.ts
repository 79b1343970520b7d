/**
 * Buckets: sizes of nearly one area that a network takes, and how a picture gets into one (aspect ratio
 * bucketing, NovelAI 2022, by ai-toolkit's rules).
 */

/** In pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * The bucket of a picture: of the sizes around its own, scaled to `resolution` squared where it is larger,
 * whose sides are multiples of `unit`, the one of the nearest area. All in pixels.
 */
export function bucketOf({ width, height }: Size, resolution: number, unit: number): Size {
  const most = resolution * resolution;
  const area = Math.min(width * height, most);
  const scale = Math.sqrt(area / (width * height));
  const around = (side: number): [down: number, up: number] => {
    const units = (side * scale) / unit;
    return [Math.floor(units) * unit, Math.ceil(units) * unit];
  };
  const [widths, heights] = [around(width), around(height)];
  const sizes = widths.flatMap((w) => heights.map((h): Size => ({ width: w, height: h })));
  const possible = sizes.filter((size) => areaOf(size) > 0 && areaOf(size) <= most);
  const smallest = { width: Math.max(widths[0], unit), height: Math.max(heights[0], unit) };
  const away = (size: Size): number => Math.abs(areaOf(size) - area);
  return possible.reduce(
    (best, size) => (away(size) < away(best) ? size : best),
    possible[0] ?? smallest,
  );
}

const areaOf = ({ width, height }: Size): number => width * height;
