/** The families this program can run, in the order they are tried. */
import type { Family } from '../family.ts';
import { flux1 } from './flux.ts';
import { sd1 } from './sd1.ts';
import { sd2Unclip } from './sd2-unclip.ts';
import { sdX4Upscaler } from './sd-x4-upscaler.ts';
import { sd2 } from './sd2.ts';
import { playground, sdxl, sdxlRefiner } from './sdxl.ts';
import { zero123 } from './zero123.ts';

export const families: readonly Family[] = [
  sd1,
  zero123,
  sd2,
  sd2Unclip,
  sdX4Upscaler,
  sdxlRefiner,
  playground,
  sdxl,
  flux1,
];
