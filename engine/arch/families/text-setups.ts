/**
 * What the `type` of CLIPLoader and its kin stands for: the text sides of families that separate files can be
 * put together to. Which one it is, the files' contents say; a type only chooses between uses of the same file.
 */
import type { TextSetup } from '../family.ts';
import { qwen25vlOfLongCat } from './longcat-text.ts';
import { qwen3vlOf4b } from './mage-flow.ts';
import { sd1 } from './sd1.ts';
import { sd2 } from './sd2.ts';
import { sdxl, sdxlRefiner } from './sdxl.ts';
import * as encoders from './sequence-encoders.ts';
import { alone, clipGOfCascade } from './text-encoders.ts';
import {
  fluxText,
  hidreamText,
  hunyuanDitText,
  hunyuanImageText,
  hunyuanVideoText,
  sd3Text,
} from './text-sides.ts';

/** Of one file, whatever the type. */
const single: readonly TextSetup[] = [
  sd1.text,
  sd2.text,
  sdxlRefiner.text,
  ...[
    encoders.t5xxl,
    encoders.t5xxlOld,
    encoders.t5base,
    encoders.pileT5xl,
    encoders.umt5xxl,
    encoders.umt5base,
    encoders.gemma2,
    encoders.gemma3,
    encoders.qwen25of3b,
    encoders.qwen25vl,
    encoders.qwen3of06b,
    encoders.qwen3of2b,
    encoders.qwen3of4b,
    encoders.qwen3of8b,
    encoders.mistral3of24b,
  ].map(alone),
  hidreamText(['llama']),
];

const SD3 = ['clip_l', 'clip_g', 't5xxl'];
const HIDREAM = [...SD3, 'llama'];

/** Every one, and every pair, of these encoders. */
const partsOf = (side: (names: readonly string[]) => TextSetup, names: readonly string[]) =>
  names.flatMap((name, i) => [
    side([name]),
    ...names.slice(i + 1).map((with_) => side([name, with_])),
  ]);

/** What types mean that is not so for every type; they come first. */
const ownSetups: Readonly<Record<string, readonly TextSetup[]>> = {
  stable_diffusion: [sdxl.text],
  sdxl: [sdxl.text],
  stable_cascade: [alone(clipGOfCascade), sdxl.text],
  sd3: partsOf(sd3Text, SD3),
  ltxv: [alone(encoders.t5xxlOfLtxv)],
  pixart: [alone(encoders.t5xxlOfPixart)],
  chroma: [alone(encoders.t5xxlOfPixart)],
  hidream: partsOf(hidreamText, HIDREAM),
  hunyuan_image: [alone(encoders.qwen25vlOfHunyuan), hunyuanImageText],
  flux: [alone(encoders.qwen3of4bOfKlein), fluxText],
  flux2: [alone(encoders.qwen3of4bOfKlein)],
  longcat_image: [alone(qwen25vlOfLongCat)],
  mage: [alone(qwen3vlOf4b)],
  hunyuan_video: [hunyuanVideoText],
  hunyuan_dit: [hunyuanDitText],
};

/** Types that only say which family the file is for. */
const others = 'stable_audio mochi cosmos lumina2 wan ace omnigen2 qwen_image ovis'.split(' ');

/** By type. */
export const textSetups: Readonly<Record<string, readonly TextSetup[]>> = Object.fromEntries(
  [...Object.keys(ownSetups), ...others].map((type) => [
    type,
    [...(ownSetups[type] ?? []), ...single],
  ]),
);

/** What files without a type are, by their number. */
export const setupsByCount: Readonly<Record<number, readonly TextSetup[]>> = {
  3: [sd3Text(SD3)],
  4: [hidreamText(HIDREAM)],
};
