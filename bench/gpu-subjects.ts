/** The networks that are measured on a GPU. */
import { join } from 'node:path';
import { randomSd15, sd15UNet } from './make-sd15.ts';
import { randomSdxl, sdxlUNet } from './make-sdxl.ts';

export interface Subject {
  readonly title: string;
  /** Latent cells of a side. */
  readonly size: number;
  readonly context: number;
  readonly vector?: number;
  readonly checkpoint: () => Promise<string>;
}

const tiny = join(import.meta.dirname, '../models/checkpoints/tiny-scenes.safetensors');

const subjects: Readonly<Record<string, Subject>> = {
  tiny: { title: 'tiny, 128²', size: 16, context: 128, checkpoint: async () => tiny },
  sd15: { ...sd15UNet, title: 'SD1.5, 512²', size: 64, checkpoint: randomSd15 },
  sdxl: { ...sdxlUNet, title: 'SDXL, 1024²', size: 128, checkpoint: randomSdxl },
};

/** Throws for a name that is none. */
export function subjectOf(name: string): Subject {
  if (Object.hasOwn(subjects, name)) return subjects[name];
  throw new Error(`model ${name} is none of ${Object.keys(subjects).join(', ')}`);
}
