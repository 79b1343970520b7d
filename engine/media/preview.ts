/** Preview pictures of running nodes as JPEG. */
import { roundHalfEven } from '../array/round.ts';
import { badImage } from './limits.ts';
import { encodeRaw } from './sharp.ts';

/** Raw RGB bytes, row-major. */
export interface RawPicture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

/**
 * The size at which a picture just fits into size x size, enlarged or reduced, its aspect ratio
 * kept: 64 x 32 in 512 is 512 x 256. Never less than one pixel.
 */
export function fitInside(
  width: number,
  height: number,
  size: number,
): { width: number; height: number } {
  if (width > height) return { width: size, height: fitSide(height, width, size) };
  if (width < height) return { width: fitSide(width, height, size), height: size };
  return { width: size, height: size };
}

const fitSide = (short: number, long: number, size: number): number =>
  Math.max(1, roundHalfEven((short / long) * size));

/**
 * JPEG of quality 95, fitted (bilinear) into size x size. Throws IMAGE_FILE when the bytes do not
 * fit the size of the picture.
 */
export async function encodePreview(picture: RawPicture, size: number): Promise<Uint8Array> {
  const { width, height, rgb } = picture;
  if (rgb.length !== width * height * 3) throw badImage('the preview has the wrong size');
  const target = fitInside(width, height, size);
  return encodeRaw(rgb, { width, height, channels: 3 }, (frame) =>
    frame.resize({ ...target, fit: 'fill', kernel: 'linear' }).jpeg({ quality: 95 }),
  );
}
