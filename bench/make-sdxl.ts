/**
 * Writes a random checkpoint of Stable Diffusion XL's size (base).
 *
 *   node --import tsx bench/make-sdxl.ts [path]      (6.9 GB; default: the temporary folder)
 */
import {
  type Shapes,
  type UNetShapes,
  clip,
  openClip,
  randomFile,
  scoped,
  unet,
  vae,
  whenStarted,
} from './random-checkpoint.ts';

export const sdxlUNet: UNetShapes = {
  width: [320, 640, 1280],
  depth: [0, 2, 10],
  context: 2048,
  linear: true,
  vector: 2816,
};

/** Path of the random SDXL checkpoint; it is written when it is not there yet. */
export const randomSdxl = (path?: string): Promise<string> => randomFile('sdxl', shapes(), path);

function shapes(): Shapes {
  const all: Shapes = new Map();
  unet(scoped(all, 'model.diffusion_model.'), sdxlUNet);
  vae(scoped(all, 'first_stage_model.'));
  clip(scoped(all, 'conditioner.embedders.0.transformer.text_model.'));
  openClip(scoped(all, 'conditioner.embedders.1.model.'), 1280, 32);
  return all;
}

await whenStarted(import.meta.url, randomSdxl);
