/** How alike two pictures are. */

/**
 * Peak signal-to-noise ratio of two lists of samples in 0..peak, in dB; Infinity where they are equal.
 * Throws RangeError for lists of different length.
 */
export function psnr(a: ArrayLike<number>, b: ArrayLike<number>, peak = 1): number {
  if (a.length !== b.length) throw new RangeError(`PSNR of ${a.length} and ${b.length} samples`);
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += (a[i] - b[i]) ** 2;
  return 10 * Math.log10((a.length * peak ** 2) / squares);
}
