/** The one place that loads sharp: on first use, so that importing nodes stays cheap. */
import type Sharp from 'sharp';
import { MAX_TOTAL_PIXELS } from './limits.ts';

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
