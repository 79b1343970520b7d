/**
 * What the `type` of CLIPLoader and DualCLIPLoader stands for: the text sides of families that
 * separate files can be put together to. Which one it is, the files' contents say.
 */
import type { TextSetup } from '../family.ts';
import { sd1 } from './sd1.ts';
import { sd2 } from './sd2.ts';
import { sdxl, sdxlRefiner } from './sdxl.ts';
import { alone, clipGOfCascade } from './text-encoders.ts';

const stableDiffusion: readonly TextSetup[] = [sd1.text, sd2.text, sdxlRefiner.text, sdxl.text];

/** Types of other families, under which a CLIP of Stable Diffusion is still that. */
const others =
  'stable_audio mochi ltxv pixart cosmos lumina2 wan chroma ace omnigen2 qwen_image hunyuan_image'.split(
    ' ',
  );

export const textSetups: Readonly<Record<string, readonly TextSetup[]>> = {
  stable_diffusion: stableDiffusion,
  stable_cascade: [sd1.text, sd2.text, alone(clipGOfCascade), sdxl.text],
  sdxl: stableDiffusion,
  ...Object.fromEntries(others.map((type) => [type, [sd1.text, sd2.text, sdxlRefiner.text]])),
};
