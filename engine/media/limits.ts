/** Caps on what a picture file may ask for, checked before memory is taken. */
import { NoodleError } from '../errors.ts';

/** Pixels of one frame (the bound at which the reference's image library refuses a file). */
export const MAX_PIXELS = 178_956_970;
/** Pixels of all frames of one file together. */
export const MAX_TOTAL_PIXELS = 268_435_456;
/** Longest side. */
const MAX_SIDE = 65_535;

/** Why bytes are not a readable picture, in words or as it was thrown; the loader adds the file's name. */
export function badImage(cause: unknown): NoodleError {
  return new NoodleError('IMAGE_FILE', {
    reason: cause instanceof Error ? cause.message : String(cause),
  });
}

/** Throws IMAGE_FILE unless width x height is a size we are ready to decode. */
export function checkImageSize(width: number, height: number, frames = 1): void {
  const whole = Number.isInteger(width) && Number.isInteger(height);
  if (!whole || width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE) {
    throw badImage(`its size is ${width} x ${height}`);
  }
  if (width * height > MAX_PIXELS || width * height * frames > MAX_TOTAL_PIXELS) {
    throw badImage(`${frames} x ${width} x ${height} pixels are more than we decode`);
  }
}
