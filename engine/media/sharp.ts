/** The one place that loads sharp: on first use, so that importing nodes stays cheap. */
import type Sharp from 'sharp';
import type { CreateRaw } from 'sharp';
import { MAX_TOTAL_PIXELS, badImage } from './limits.ts';

/** A picture in sharp's hands. */
export type SharpPicture = ReturnType<typeof Sharp>;

let loaded: Promise<typeof Sharp> | undefined;

/** The sharp constructor. */
export function loadSharp(): Promise<typeof Sharp> {
  loaded ??= import('sharp').then(({ default: sharp }) => {
    sharp.cache(false);
    return sharp;
  });
  return loaded;
}

/** Reading as the reference reads: damaged ends are tolerated, colour profiles ignored. */
export const lenient = {
  failOn: 'none',
  ignoreIcc: true,
  limitInputPixels: MAX_TOTAL_PIXELS,
} as const;

/** Raw samples as a file's bytes. Throws IMAGE_FILE. */
export async function encodeRaw(
  samples: Uint8Array,
  raw: CreateRaw,
  encode: (picture: SharpPicture) => SharpPicture,
): Promise<Uint8Array> {
  const sharp = await loadSharp();
  try {
    return await encode(sharp(samples, { ...lenient, raw })).toBuffer();
  } catch (cause) {
    throw badImage(cause);
  }
}
