/** How large a picture may be made, where the size follows from something else than a widget with a bound. */
import { NoodleError } from '../errors.ts';

/** Pixels of one picture: four fp32 numbers each are 2 GiB. */
const MOST_PIXELS = 2 ** 27;

/** Throws BAD_INPUT, about `subject`, for a picture that would be larger, or longer than `largestSide`. */
export function checkPictureSize(
  subject: string,
  width: number,
  height: number,
  largestSide = Infinity,
): void {
  if (Math.max(width, height) <= largestSide && width * height <= MOST_PIXELS) return;
  const sides = largestSide === Infinity ? '' : `${largestSide} pixels a side and `;
  const expected = `a picture of at most ${sides}${MOST_PIXELS} pixels in all`;
  throw new NoodleError('BAD_INPUT', { subject, expected, got: `${width} x ${height}` });
}
