/**
 * A loop that trains nothing: it writes what a run's folder holds, a step every few milliseconds, so that every
 * state of a run can be looked at. It fails where its data set is gone. Tests ask nothing of it that a loop that
 * trains would not do.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import sharp from 'sharp';
import { parse } from 'yaml';
import { defineNode, string } from '../../../engine/node.ts';
import type { NodeDefinition } from '../../../engine/node.ts';
import { writeFileAtomic } from '../../../engine/store/write.ts';

export const name = 'training-pack';

interface Job {
  readonly config: {
    readonly process: readonly {
      readonly datasets: readonly { readonly folder_path: string }[];
      readonly train: { readonly steps: number };
      readonly sample?: { readonly sample_every?: number; readonly prompts?: readonly string[] };
    }[];
  };
}

const STEP_MS = 20;

const train = defineNode({
  name: 'NoodleTrain',
  category: 'training',
  module: 'custom_nodes.training-pack',
  form: 'v1',
  inputs: { run: string() },
  outputs: [],
  outputNode: true,
  isChanged: () => NaN,
  async run({ run }, context) {
    const { input, output } = (context.services as { folders: { input: string; output: string } })
      .folders;
    const folder = join(output, 'training', run);
    const job = parse(readFileSync(join(folder, 'config.yaml'), 'utf8')) as Job;
    const { train: settings, datasets, sample = {} } = job.config.process[0];
    const { steps } = settings;
    const say = (state: string, step: number, error?: string): void =>
      writeFileAtomic(
        join(folder, 'progress.json'),
        JSON.stringify({ state, step, steps, error, updated: Date.now() }),
      );
    let done = stepOf(join(folder, 'progress.json'));
    if (!existsSync(join(input, datasets[0].folder_path))) {
      say('failed', done, 'the data set is gone');
      throw new Error('the data set is gone');
    }
    say('running', done);
    for (; done < steps; done++) {
      // A loop that was told to stop ends its step and saves first.
      if (context.signal.aborted) {
        say('paused', done);
        context.progress(done, steps); // throws
      }
      await delay(STEP_MS);
      const loss = 0.1 + 0.4 * Math.exp(-done / 40) + 0.03 * Math.sin(done * 7.3);
      const line = { step: done + 1, loss, rate: 1e-4, seconds: STEP_MS / 1000 };
      appendFileSync(join(folder, 'losses.jsonl'), `${JSON.stringify(line)}\n`);
      if (sample.sample_every !== undefined && (done + 1) % sample.sample_every === 0) {
        await writeSamples(folder, done + 1, sample.prompts ?? []);
        const save = `${run}_${String(done + 1).padStart(9, '0')}.safetensors`;
        writeFileSync(join(folder, save), Buffer.alloc(1000));
      }
      say('running', done + 1);
      report(context, done + 1, steps);
    }
    writeFileSync(join(folder, `${run}.safetensors`), Buffer.alloc(2000));
    writeFileSync(join(folder, 'optimizer.safetensors'), Buffer.alloc(4000));
    say('finished', done);
    return [];
  },
});

/** Says how far it is; that it was told to stop is heard of elsewhere. */
function report(context: { progress(value: number, max: number): void }, step: number, of: number) {
  try {
    context.progress(step, of);
  } catch {
    // Told to stop: the loop ends by itself.
  }
}

function stepOf(file: string): number {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { step: number }).step;
  } catch {
    return 0;
  }
}

async function writeSamples(folder: string, step: number, prompts: readonly string[]) {
  mkdirSync(join(folder, 'samples'), { recursive: true });
  for (const index of prompts.keys()) {
    const picture = await sharp({
      create: {
        width: 96,
        height: 96,
        channels: 3,
        background: { r: (step * 3) % 256, g: (index * 90) % 256, b: 140 },
      },
    })
      .jpeg()
      .toBuffer();
    const filename = `${Date.now()}__${String(step).padStart(9, '0')}_${index}.jpg`;
    writeFileSync(join(folder, 'samples', filename), picture);
  }
}

export const nodes: readonly NodeDefinition[] = [train];
