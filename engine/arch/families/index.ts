/** The families this program can run, in the order they are tried. */
import type { Family } from '../family.ts';
import { sd1 } from './sd1.ts';
import { sd2Unclip } from './sd2-unclip.ts';
import { sd2 } from './sd2.ts';
import { playground, sdxl, sdxlRefiner } from './sdxl.ts';

export const families: readonly Family[] = [sd1, sd2, sd2Unclip, sdxlRefiner, playground, sdxl];
