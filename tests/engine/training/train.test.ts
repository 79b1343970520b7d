/** Runs of jobs: whatever ends one on the way, it goes on as if nothing had been. */
import fs, { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import type { Folders } from '../../../engine/store/folders.ts';
import { readJobTree } from '../../../engine/training/job/read-job.ts';
import { train } from '../../../engine/training/train.ts';
import { type Otherwise, makePictures, stepsIn, tinyJob } from '../../support/tiny-training.ts';

// one for all: it keeps the sessions of programs that are alike
const runtime = createRuntime({ threads: 2 });
const folders = { modelFiles: () => [] } as unknown as Folders;
let base: string;
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'noodle-training-'));
  await makePictures(join(base, 'pictures'));
});
afterAll(() => rmSync(base, { recursive: true }));
beforeEach(() => rmSync(join(base, 'output'), { recursive: true, force: true }));

const folder = (): string => join(base, 'output', 'run');
const bytesOf = (file: string): Buffer => readFileSync(join(folder(), file));

interface Ways {
  /** The step after which it is asked to pause. */
  readonly pauseAfter?: number;
  /** The step after which it ends by an error that it knows nothing of, as by a crash. */
  readonly crashAfter?: number;
}

/** Runs a job for as long as it is let; answers with what it said. */
async function run(otherwise: Otherwise, { pauseAfter, crashAfter }: Ways = {}): Promise<string[]> {
  const said: string[] = [];
  const pause = new AbortController();
  const context = { environment: {}, place: (path: string) => path };
  const [job] = readJobTree('job', tinyJob(base, otherwise), context);
  expect([job.warnings, job.substitutions]).toEqual([[], []]);
  await train(job, {
    ...{ runtime, folders, links: 'refuse', signal: pause.signal },
    log: (line) => said.push(line),
    progress: (step) => {
      if (step === pauseAfter) pause.abort();
      if (step === crashAfter) throw new Error('crash');
    },
  });
  return said;
}

const progress = (): unknown => JSON.parse(bytesOf('progress.json').toString());

/** What a whole run leaves; its folder is empty again then. */
async function whole(otherwise: Otherwise): Promise<Buffer> {
  await run(otherwise);
  const bytes = bytesOf('run.safetensors');
  rmSync(folder(), { recursive: true });
  return bytes;
}

const kinds: Readonly<Record<string, Otherwise>> = {
  plainly: {},
  'with an average of the adapter': {
    train: { ema_config: { use_ema: true, ema_decay: 0.9, use_feedback: true } },
  },
  'with Prodigy': { train: { optimizer: 'prodigy', lr: 1 } },
  'with moments in 8 bits': { train: { optimizer: 'adamw8bit' } },
  'with several batches a step': { train: { gradient_accumulation: 2 } },
  'with several steps a step of the optimiser': { train: { gradient_accumulation_steps: 3 } },
  'with a step of the optimiser an epoch': { train: { gradient_accumulation_steps: -1 } },
  'with a schedule': {
    train: { lr_scheduler: 'cosine_with_restarts', lr_scheduler_params: { T_0: 3 } },
  },
  'with batches of two': { train: { batch_size: 2, prompt_dropout_prob: 0.3 } },
  'with sets of all kinds': {
    datasets: [
      { flip_x: true, random_crop: true, buckets: false, resolution: 32 },
      { cache_latents_to_disk: true, caption_dropout_rate: 0.3, shuffle_tokens: true },
      { is_reg: true },
    ],
  },
  'with its text encoder': {
    train: { train_text_encoder: true, text_encoder_lr: 2e-3, batch_size: 2 },
    network: { network_kwargs: { only_if_contains: ['up_blocks_1_attentions', 'q_proj'] } },
    datasets: [{}, { network_weight: 0.5 }],
  },
  'with its text encoder alone': {
    train: { train_text_encoder: true, train_unet: false },
    network: { network_kwargs: { only_if_contains: ['q_proj'] } },
  },
  'saved in bf16': { save: { dtype: 'bf16' } },
};

describe('a run', () => {
  it.each(Object.entries(kinds))(
    'goes on bit for bit after a pause and after a crash, %s',
    async (_, otherwise) => {
      const expected = await whole(otherwise);
      await expect(run(otherwise, { pauseAfter: 1 })).rejects.toMatchObject({
        code: 'INTERRUPTED',
      });
      expect(progress()).toMatchObject({ state: 'paused', step: 1, steps: 5 });
      await expect(run(otherwise, { crashAfter: 4 })).rejects.toThrow('crash');
      expect(progress()).toMatchObject({ state: 'failed', step: 4, error: 'crash' });
      expect(await run(otherwise)).toContain('going on after 2 steps');
      expect(progress()).toMatchObject({ state: 'finished', step: 5 });
      expect(stepsIn(folder())).toEqual([1, 2, 3, 4, 5]);
      expect(bytesOf('run.safetensors').equals(expected)).toBe(true);
    },
    60_000,
  );

  it('that has ended goes on when it is to have more steps', async () => {
    const expected = await whole({});
    await run({ train: { steps: 3 } });
    expect(await run({})).toContain('going on after 3 steps');
    expect(stepsIn(folder())).toEqual([1, 2, 3, 4, 5]);
    expect(bytesOf('run.safetensors').equals(expected)).toBe(true);
    await run({});
    expect(bytesOf('run.safetensors').equals(expected)).toBe(true);
  });

  it('that is asked to end before its first step loses nothing', async () => {
    const expected = await whole({});
    const sample = { prompts: ['a'], width: 64, height: 64, sample_steps: 1 };
    for (const more of [{}, { train: { disable_sampling: false }, sample }]) {
      await expect(run(more, { pauseAfter: 0 })).rejects.toMatchObject({ code: 'INTERRUPTED' });
      expect(progress()).toMatchObject({ state: 'paused', step: 0 });
    }
    expect(readdirSync(join(folder(), 'samples'))).toHaveLength(1);
    await run({});
    expect(bytesOf('run.safetensors').equals(expected)).toBe(true);
  });

  it('takes away what a killed process left half written', async () => {
    const expected = await whole({});
    await expect(run({}, { crashAfter: 3 })).rejects.toThrow('crash');
    const tag = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
    // no process has this number
    const part = `.noodle-${tag}-4194305-${'0'.repeat(18)}.part`;
    for (const place of [part, join('samples', part)]) writeFileSync(join(folder(), place), 'half');
    fs.appendFileSync(join(folder(), 'losses.jsonl'), '{"step":4,"lo');
    await run({});
    expect(stepsIn(folder())).toEqual([1, 2, 3, 4, 5]);
    expect(readdirSync(folder(), { recursive: true })).not.toContain(part);
    expect(readdirSync(join(folder(), 'samples'))).toEqual([]);
    expect(bytesOf('run.safetensors').equals(expected)).toBe(true);
  });

  it('says when the disk is full, and goes on when it no longer is', async () => {
    const expected = await whole({});
    await expect(run({}, { pauseAfter: 1 })).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const before = bytesOf('optimizer.safetensors');
    const space = fillDisk();
    try {
      await expect(run({})).rejects.toMatchObject({
        code: 'FILE_WRITE',
        message: "file 'run' could not be written: ENOSPC",
      });
    } finally {
      space.free();
    }
    expect(bytesOf('optimizer.safetensors').equals(before)).toBe(true);
    expect(readdirSync(folder()).filter((name) => name.startsWith('.'))).toEqual([]);
    await run({});
    expect(stepsIn(folder())).toEqual([1, 2, 3, 4, 5]);
    expect(bytesOf('run.safetensors').equals(expected)).toBe(true);
  });

  it('obeys start_step once', async () => {
    await run({ train: { steps: 3 } });
    const otherwise = { train: { start_step: 1 } };
    await expect(run(otherwise, { crashAfter: 3 })).rejects.toThrow('crash');
    expect(stepsIn(folder())).toEqual([1, 2, 3]);
    expect(await run(otherwise)).toContain('going on after 2 steps');
    expect(stepsIn(folder())).toEqual([1, 2, 3, 4, 5]);
  });

  it('goes on with another optimiser, which begins anew', async () => {
    await run({ train: { steps: 2 } });
    const said = await run({ train: { steps: 3, optimizer: 'prodigy', lr: 1 } });
    expect(said.join()).toMatch(/going on after 2 steps/);
    expect(said.join()).toMatch(/the optimiser begins anew: optimiser state/);
    expect(stepsIn(folder())).toEqual([1, 2, 3]);
  });

  it('begins an epoch where its pictures have changed', async () => {
    await run({ train: { steps: 2 } });
    const said = await run({ datasets: [{ flip_x: true }] });
    expect(said).toContain('the pictures have changed: a new epoch begins');
    expect(stepsIn(folder())).toEqual([1, 2, 3, 4, 5]);
  });

  it.each<[string, Otherwise]>([
    ['network.dropout', { network: { dropout: 0.1 } }],
    ['train.img_multiplier other than 1', { train: { img_multiplier: 0.5 } }],
    ['sample.guidance_rescale', { sample: { prompts: ['a'], guidance_rescale: 0.7 } }],
  ])('refuses %s, which it would not follow', async (key, otherwise) => {
    const error = `no run follows ${key} yet`;
    await expect(run(otherwise)).rejects.toMatchObject({ code: 'UNSUPPORTED', message: error });
    expect(progress()).toMatchObject({ state: 'failed', error });
  });

  it('without its state goes on from the adapter that it saved last', async () => {
    await expect(run({}, { crashAfter: 5 })).rejects.toThrow('crash');
    rmSync(join(folder(), 'optimizer.safetensors'));
    expect((await run({})).join()).toMatch(/(\d+) of \1 tensors taken over/);
    expect(stepsIn(folder())).toEqual([1, 2, 3, 4, 5]);
  });
});

/** A disk that takes no more than a line at a time. */
function fillDisk(): { free: () => void } {
  const { writeSync } = fs;
  fs.writeSync = ((...given: Parameters<typeof writeSync>) => {
    if ((given[1] as unknown as Uint8Array).byteLength < 10_000) return writeSync(...given);
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      syscall: 'write',
    });
  }) as typeof writeSync;
  syncBuiltinESMExports();
  return {
    free: () => {
      fs.writeSync = writeSync;
      syncBuiltinESMExports();
    },
  };
}
