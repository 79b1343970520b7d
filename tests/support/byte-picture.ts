/** Pictures of bytes in fixtures: what the reference drew. */
import { inflateSync } from 'node:zlib';
import { expect } from 'vitest';
import type { NDArray } from '../../engine/array/nd.ts';

export interface BytePicture {
  readonly shape: readonly number[];
  /** The bytes of 255·v, row-major, compressed by zlib and in base64. */
  readonly bytes: string;
}

/** The bytes of a picture in a fixture. */
export const bytesOf = ({ bytes }: BytePicture): Uint8Array =>
  inflateSync(Buffer.from(bytes, 'base64'));

/** Asserts the shape, and every value to within `most` of 255 levels. */
export function expectPicture(ours: NDArray, theirs: BytePicture, most = 0): void {
  expect(ours.shape).toEqual(theirs.shape);
  const bytes = bytesOf(theirs);
  let worst = 0;
  bytes.forEach((v, i) => (worst = Math.max(worst, Math.abs(ours.data[i] * 255 - v))));
  // Beside what floats lose.
  expect(worst).toBeLessThanOrEqual(most + 1e-3);
}
