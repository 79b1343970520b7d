/** How a picture becomes one of the size that is trained in: scaled, then cut. */
import type { PythonRandom } from '../../sampling/noise/python-random.ts';
import { type Size, bucketOf } from './buckets.ts';
import type { SizeSettings } from './settings.ts';

/** What a picture is scaled to, and the part of that which is kept. */
export interface Placement {
  readonly scaled: Size;
  readonly crop: Size & { readonly x: number; readonly y: number };
}

/** Whole numbers from 0 to the one given, both included: where a crop starts. */
type Start = (free: number) => number;

const middle: Start = (free) => Math.floor(free / 2);
const anywhere =
  (random: PythonRandom): Start =>
  (free) =>
    Number(random.randint(0n, BigInt(free)));

/** Whether pictures are placed anew each time, not once for all. */
export const movesAbout = ({ buckets, randomCrop, randomScale }: SizeSettings): boolean =>
  !buckets && (randomCrop || randomScale);

/**
 * Places a picture by a data set's settings; `unit` is what sides of buckets are multiples of. Draws from
 * `random` only where something is random: x, then y (before them the scale).
 */
export function place(
  size: Size,
  settings: SizeSettings,
  unit: number,
  random: PythonRandom,
): Placement {
  const { resolution, scale } = settings;
  const own = {
    width: Math.max(1, Math.trunc(size.width * scale)),
    height: Math.max(1, Math.trunc(size.height * scale)),
  };
  const square = { width: resolution, height: resolution };
  if (movesAbout(settings)) {
    const side = Math.min(own.width, own.height);
    const wanted =
      settings.randomScale && side > resolution
        ? Number(random.randint(BigInt(resolution), BigInt(side)))
        : Math.max(side, resolution);
    return cut(scaledToCover(own, { width: wanted, height: wanted }), square, anywhere(random));
  }
  if (settings.squareCrop || !settings.buckets) {
    return cut(scaledToCover(own, square), square, middle);
  }
  const bucket = bucketOf(own, resolution, unit);
  const start = settings.randomCrop ? anywhere(random) : middle;
  return cut(scaledToCover(own, bucket), bucket, start);
}

function scaledToCover({ width, height }: Size, target: Size): Size {
  const factor = Math.max(target.width / width, target.height / height);
  return { width: Math.ceil(width * factor), height: Math.ceil(height * factor) };
}

function cut(scaled: Size, { width, height }: Size, start: Start): Placement {
  const x = start(scaled.width - width);
  const y = start(scaled.height - height);
  return { scaled, crop: { x, y, width, height } };
}
