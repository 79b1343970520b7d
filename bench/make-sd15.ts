/**
 * Writes a random checkpoint of Stable Diffusion 1.5's size.
 *
 *   node --import ./bin/typescript.js bench/make-sd15.ts [path]      (2.1 GB; default: the temporary folder)
 */
import {
  type Shapes,
  type UNetShapes,
  clip,
  randomFile,
  scoped,
  unet,
  vae,
  whenStarted,
} from './random-checkpoint.ts';

export const sd15UNet: UNetShapes = {
  width: [320, 640, 1280, 1280],
  depth: [1, 1, 1, 0],
  context: 768,
  linear: false,
};

/** Path of the random SD1.5 checkpoint; it is written when it is not there yet. */
export const randomSd15 = (path?: string): Promise<string> => randomFile('sd15', shapes(), path);

function shapes(): Shapes {
  const all: Shapes = new Map();
  unet(scoped(all, 'model.diffusion_model.'), sd15UNet);
  vae(scoped(all, 'first_stage_model.'));
  clip(scoped(all, 'cond_stage_model.transformer.text_model.'));
  return all;
}

await whenStarted(import.meta.url, randomSd15);
