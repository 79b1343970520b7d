/**
 * Training of a LoRA on a network of full size with random weights: seconds a step and the most memory.
 *
 *   node --import ./bin/typescript.js bench/train.ts [--model sd15|sdxl] [--size 512] [--rank 16] [--steps 3]
 *                                                     [--keep] [--reference FOLDER] [--python python3]
 *
 * A pair of up and down for every linear layer and convolution, as the training node makes them; one picture a
 * step, AdamW, fp32, what blocks computed is computed anew in the backward pass (--keep: kept instead). The
 * reference is looked for in --reference or NOODLE_REFERENCE.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { randomSd15, sd15UNet } from './make-sd15.ts';
import { randomSdxl, sdxlUNet } from './make-sdxl.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'sd15' },
    size: { type: 'string', default: '512' },
    rank: { type: 'string', default: '16' },
    steps: { type: 'string', default: '3' },
    keep: { type: 'boolean', default: false },
    reference: { type: 'string', default: process.env.NOODLE_REFERENCE },
    python: { type: 'string', default: 'python3' },
  },
});
const models = {
  sd15: { checkpoint: randomSd15, unet: sd15UNet },
  sdxl: { checkpoint: randomSdxl, unet: sdxlUNet },
};
if (!Object.hasOwn(models, values.model)) throw new Error(`no model ${values.model}`);
const { checkpoint, unet } = models[values.model as keyof typeof models];
const { size, rank, steps, reference, python } = values;
const path = await checkpoint();

if (reference === undefined || !existsSync(join(reference, 'comfy'))) {
  console.log('The reference is not installed here: its figures are left out.');
} else {
  console.log(`${values.model} at ${size} x ${size}, rank ${rank}, the reference`);
  const script = join(import.meta.dirname, 'compare/train.py');
  const recompute = values.keep ? '0' : '1';
  const given = [path, size, rank, steps, String(unet.context), recompute];
  const { status } = spawnSync(python, [script, ...given], { stdio: 'inherit', cwd: reference });
  if (status !== 0) process.exitCode = 1;
}
