/** Training runs of a few seconds: the bundled model, some small pictures, few modules. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePng } from '../../engine/media/formats/png/encode.ts';
import type { LossLine } from '../../engine/training/job/loss-line.ts';
import { tinyScenes } from './draw-scene.ts';

type Section = Readonly<Record<string, unknown>>;

/** What a job says otherwise, section by section. */
export interface Otherwise {
  readonly train?: Section;
  readonly network?: Section;
  readonly save?: Section;
  readonly sample?: Section;
  readonly logging?: Section;
  /** One set each; plain ones when left out. */
  readonly datasets?: readonly Section[];
}

/** A folder with so many pictures of one colour each, and their captions. */
export async function makePictures(folder: string, count = 3): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < count; i++) {
    const data = new Uint8Array(64 * 64 * 3).map((_, at) => (at * (i + 1) + 60 * i) % 256);
    const png = await encodePng({ width: 64, height: 64, channels: 3, data }, { level: 1 });
    writeFileSync(join(folder, `${i}.png`), png);
    writeFileSync(join(folder, `${i}.txt`), `picture, number ${i}`);
  }
}

/** The tree of a job `run` below `base`, where its pictures lie in `pictures`. */
export function tinyJob(base: string, otherwise: Otherwise = {}): Section {
  const { train, network, save, sample, logging, datasets = [{}] } = otherwise;
  const said = {
    type: 'sd_trainer',
    training_folder: join(base, 'output'),
    training_seed: 7,
    network: {
      ...{ type: 'lora', linear: 2, linear_alpha: 2 },
      network_kwargs: { only_if_contains: ['up_blocks_1_attentions'] },
      ...network,
    },
    save: { save_every: 2, dtype: 'fp32', ...save },
    datasets: datasets.map((set) => ({
      ...{ folder_path: join(base, 'pictures'), resolution: 64, caption_ext: 'txt' },
      ...set,
    })),
    train: { steps: 5, lr: 1e-3, noise_scheduler: 'ddpm', disable_sampling: true, ...train },
    model: { name_or_path: tinyScenes },
    sample: { prompts: [], ...sample },
    logging: { ...logging },
  };
  return { job: 'extension', config: { name: 'run', process: [said] } };
}

/** What a run has written down of its steps, in order; of a line that is not whole, nothing. */
export function lossesIn(folder: string): LossLine[] {
  const file = join(folder, 'losses.jsonl');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  // what stands behind the last end of a line was not written whole
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as LossLine);
}

/** The steps among them. */
export const stepsIn = (folder: string): number[] => lossesIn(folder).map(({ step }) => step);
