/** The families this program can run, in the order they are tried. */
import type { Family } from '../family.ts';
import { auraFlow } from './auraflow.ts';
import { cascadeB, cascadeC } from './cascade.ts';
import { chroma1, chromaRadiance } from './chroma.ts';
import { cosmosPredict2 } from './cosmos-predict2.ts';
import { flux1 } from './flux.ts';
import { longCatImage, ovisImage } from './flux-kin.ts';
import { flux2 } from './flux2.ts';
import { hiDream } from './hidream.ts';
import { hunyuanDit } from './hunyuan-dit.ts';
import { hunyuanImage, hunyuanImageRefiner } from './hunyuan-image.ts';
import { lumina2, zImage } from './lumina.ts';
import { mageFlow } from './mage-flow.ts';
import { omniGen2 } from './omnigen2.ts';
import { pixArtAlpha, pixArtSigma } from './pixart.ts';
import { qwenImage } from './qwen-image.ts';
import { sd1 } from './sd1.ts';
import { sd2Unclip } from './sd2-unclip.ts';
import { sdX4Upscaler } from './sd-x4-upscaler.ts';
import { sd2 } from './sd2.ts';
import { sd3 } from './sd3.ts';
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
  cascadeC,
  cascadeB,
  sd3,
  flux2,
  flux1,
  ovisImage,
  chroma1,
  chromaRadiance,
  longCatImage,
  hunyuanImageRefiner,
  hunyuanImage,
  lumina2,
  zImage,
  mageFlow,
  qwenImage,
  omniGen2,
  auraFlow,
  hiDream,
  hunyuanDit,
  pixArtAlpha,
  pixArtSigma,
  cosmosPredict2,
];
