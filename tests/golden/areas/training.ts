/** Golden area `training`: a folder for each part of it, with a runner of its own. */
import { existsSync, readdirSync } from 'node:fs';
import { join, parse } from 'node:path';
import type { CaseResult, GoldenArea } from '../area.ts';

/** Runs one case (a file's stem) of a folder. */
type Runner = (dir: string, name: string) => Promise<CaseResult>;

/** Sub-folder -> its runner, loaded when a case of it is run. */
const parts: Readonly<Record<string, () => Promise<Runner>>> = {
  dataset: async () => (await import('../training/dataset.ts')).run,
  'grad-op': async () => (await import('../training/grad-op.ts')).run,
  loss: async () => (await import('../training/loss.ts')).run,
  'train-lora-node': async () => (await import('../training/train-lora-node.ts')).run,
  'unet-grad': async () => (await import('../training/unet-grad.ts')).run,
  optimizer: async () => (await import('../training/optimizer.ts')).run,
  'yaml-run': async () => (await import('../training/yaml-run.ts')).run,
};

export const area: GoldenArea = {
  name: 'training',
  list: (dir) => {
    const names = Object.keys(parts).flatMap((part) => {
      const folder = join(dir, part);
      const files = existsSync(folder) ? readdirSync(folder).sort() : [];
      return files
        .filter((file) => parse(file).ext !== '')
        .map((file) => `${part}/${parse(file).name}`);
    });
    return Promise.resolve(names);
  },
  run: async (dir, name) => {
    const [part, stem] = name.split('/');
    const run = await parts[part]();
    return run(join(dir, part), stem);
  },
};
