import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NoodleError } from '../../../../engine/errors.ts';
import type { Place } from '../../../../engine/training/job/findings.ts';
import { ownPlaces } from '../../../../engine/training/job/find-job.ts';
import type { TrainingJob } from '../../../../engine/training/job/job.ts';
import { configText } from '../../../../engine/training/job/run-folder.ts';
import { readJobTree, readJobs } from '../../../../engine/training/job/read-job.ts';

type Section = Record<string, unknown>;

const place = ownPlaces('/here');

/** A small job with some of its keys changed. */
const tree = (changes: Section = {}): Section => ({
  job: 'extension',
  config: {
    name: 'fox',
    process: [
      {
        type: 'sd_trainer',
        training_folder: 'output',
        network: {},
        model: { name_or_path: 'tiny.safetensors' },
        datasets: [{ folder_path: 'foxes' }],
        ...changes,
      },
    ],
  },
});

const read = (
  changes?: Section,
  environment: Record<string, string> = {},
  where: Place = place,
): TrainingJob => readJobTree('fox', tree(changes), { environment, place: where })[0];

function problems(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(NoodleError);
    return (error as NoodleError).details.problems as readonly string[];
  }
  throw new Error('nothing was wrong');
}

describe('a job file', () => {
  const file = join(import.meta.dirname, 'files/flux.yaml');
  const text = readFileSync(file, 'utf8');

  it('is read as people write it', () => {
    const jobs = readJobs(file, text, { environment: {}, place });
    expect(jobs).toHaveLength(1);
    const [job] = jobs;
    expect(job).toMatchObject({
      name: 'my_first_flux_lora_v1',
      trainingFolder: resolve('/here/output'),
      trigger: 'p3r5on',
      network: { type: 'lora', rank: 16, alpha: 16, conv: undefined },
      train: { steps: 2000, lr: 1e-4, unetLr: 1e-4, optimizer: 'adamw8bit', dtype: 'fp32' },
      model: {
        nameOrPath: 'black-forest-labs/FLUX.1-dev',
        arch: { name: 'flux', family: 'flux' },
      },
      save: { saveEvery: 250, dtype: 'fp16', maxStepSavesToKeep: 4 },
      meta: { name: 'my_first_flux_lora_v1', version: '1.0' },
      warnings: [],
    });
    expect(job.datasets.map(({ resolution }) => resolution)).toEqual([512, 768, 1024]);
    expect(job.datasets[0]).toMatchObject({
      captionExt: '.txt',
      triggerWord: 'p3r5on',
      batchSize: 1,
      folderPath: resolve('/path/to/images/folder'),
    });
    expect(job.substitutions).toContain('train.dtype: bf16 -> fp32 (computed in fp32)');
    expect((job.raw.meta as Section).substitutions).toEqual(job.substitutions);
  });

  it('is what docs/training.md shows', () => {
    const page = readFileSync(new URL('../../../../docs/training.md', import.meta.url), 'utf8');
    const shown = /```yaml\n([^]*?)```/.exec(page)?.[1] ?? '';
    const [job] = readJobs('fox.yaml', shown, { environment: {}, place });
    expect(job).toMatchObject({ name: 'fox', warnings: [], substitutions: [] });
    expect(job.sample.samples[0]).toMatchObject({ prompt: 'f0x on a hill', width: 512, seed: 3 });
  });

  it('takes another name everywhere', () => {
    const [job] = readJobs(file, text, { name: 'cat', environment: {}, place });
    expect(job.name).toBe('cat');
    expect(job.meta.name).toBe('cat');
    expect((job.raw.config as Section).name).toBe('cat');
  });

  it('reads as before when it is the config.yaml of a run', () => {
    const [job] = readJobs(file, text, { environment: {}, place });
    const again = readJobs('config.yaml', configText(job.raw), { environment: {}, place });
    expect(again).toEqual([job]);
  });

  it('makes its samples from prompts, their flags and the section', () => {
    const [{ sample }] = readJobs(file, text, { environment: {}, place });
    expect(sample).toMatchObject({ sampler: 'euler', sampleEvery: 250 });
    expect(sample.samples).toMatchObject([
      { prompt: "p3r5on holding a sign that says 'I LOVE PROMPTS!'", width: 768, seed: 42 },
      { width: 1024, height: 1024, seed: 43, guidanceScale: 4 },
    ]);
    expect(sample.samples[0].guidanceScale).toBe(3.5);
  });
});

describe('the outline of a job', () => {
  const outline = (given: unknown): readonly string[] =>
    problems(() => readJobTree('x', given, { environment: {}, place }));

  it('is complained of by the path of what is missing', () => {
    const { config } = tree() as { config: Section };
    expect(outline({ config })).toEqual(['Missing "job" key']);
    expect(outline({ job: 'extension' })).toEqual(['Missing "config" key']);
    expect(outline({ job: 'extension', config: {} })).toEqual(['Missing "config.name" key']);
    const without = (process: unknown): unknown => ({
      job: 'extension',
      config: { name: 'x', process },
    });
    expect(outline(without(undefined))).toEqual(['Missing "config.process" key']);
    expect(outline(without([]))[0]).toContain('at least one process');
    expect(outline(without([{}]))).toEqual(['Missing "config.process[0].type" key']);
    expect(outline(without([{ type: 'dance' }]))).toEqual(['Unknown process type: dance']);
    expect(outline(without([{ type: 'concept_slider' }]))[0]).toMatch(
      /^config\.process\[0\]\.type: concept_slider is not supported/,
    );
    expect(outline({ job: 'dance', config })).toEqual(['Unknown job type dance']);
    expect(outline({ job: 'train', config: { name: 'x', process: [{ type: 'vae' }] } })[0]).toMatch(
      /vae is not supported/,
    );
    expect(outline([])).toEqual(['expected keys with values']);
  });

  it('has a name that names a folder and files', () => {
    for (const name of ['../x', 'a/b', 'a\\b', '..', 'a\nb', 'x'.repeat(250), 'optimizer']) {
      expect(problems(() => read({ name }))[0]).toMatch(/^name: [^]* names no run/);
    }
    expect(read({ name: '[name] of 2' }).name).toBe('fox of 2');
  });

  it('is not a whole fine-tune', () => {
    expect(problems(() => read({ network: undefined }))).toEqual([
      'full fine-tune is not supported; add a network section',
    ]);
  });
});

describe('keys', () => {
  it('have defaults', () => {
    expect(read()).toMatchObject({
      network: { type: 'lora', rank: 4, alpha: 1, lokrFactor: -1, transformerOnly: true },
      train: { steps: 1000, lr: 1e-6, optimizer: 'adamw', maxGradNorm: 1, lossType: 'mse' },
      model: { arch: undefined },
      save: { saveEvery: 1000, dtype: 'fp16' },
      logging: { logEvery: 100 },
      sample: { sampler: 'ddpm', sampleEvery: 100, samples: [] },
      datasets: [{ resolution: 512, captionExt: '.txt', numRepeats: 1, buckets: true }],
      substitutions: [],
      warnings: [],
    });
  });

  it('are checked one and all, and named', () => {
    const found = problems(() =>
      read({
        train: { steps: 'many', lr: -1, loss_type: 'wavelet', learnable_snr_gos: true },
        save: { dtype: 'float8', push_to_hub: true },
        datasets: [{ folder_path: 'x', type: 'film', num_frames: 16, control_path: 'y' }],
        network: { type: 'fullrank', network_kwargs: { dance: 1 } },
      }),
    );
    expect(found).toEqual(
      expect.arrayContaining([
        'train.steps: expected a whole number from 1 to 999999999, got many',
        'train.lr: expected a number of at least 0, got -1',
        'train.loss_type: wavelet is not supported: the loss is mse, mae, pseudo_huber',
        'train.learnable_snr_gos is not supported: this experiment is not supported',
        'save.push_to_hub is not supported: nothing is uploaded',
        'datasets[0].num_frames is not supported: films and sounds are not trained',
        'network.network_kwargs.dance is not supported: no adapter here has such a setting',
      ]),
    );
    expect(found.map((line) => line.split(/[ :]/)[0]).sort()).toEqual([
      'datasets[0].control_path',
      'datasets[0].num_frames',
      'datasets[0].type',
      'network.network_kwargs.dance',
      'network.type',
      'save.dtype',
      'save.push_to_hub',
      'train.learnable_snr_gos',
      'train.loss_type',
      'train.lr',
      'train.steps',
    ]);
  });

  it('that are refused may say what is so anyway', () => {
    const off = { controls: [], control_path: null, num_frames: 1, augments: '', extra_values: [] };
    expect(read({ datasets: [{ folder_path: 'x', ...off }] }).datasets).toHaveLength(1);
    const same = { cfg_scale: 1, train_refiner: true, do_cfg: false, switch_boundary_every: 1 };
    expect(read({ train: same, adapter: null, embedding: null }).substitutions).toEqual([]);
  });

  it('that nobody knows are warned of, with the nearest that is known', () => {
    const { warnings } = read({ train: { stepz: 5, zzzzzzzzzz: 1 }, modle: {} });
    expect(warnings).toEqual([
      'modle: unknown key; did you mean model?',
      'train.stepz: unknown key; did you mean train.steps?',
      'train.zzzzzzzzzz: unknown key',
    ]);
  });

  it('of missing things are missing', () => {
    const found = problems(() =>
      readJobTree(
        'x',
        { job: 'extension', config: { name: 'x', process: [{ type: 'sd_trainer', network: {} }] } },
        { environment: {}, place },
      ),
    );
    expect(found).toEqual([
      'training_folder is missing',
      'model.name_or_path is missing',
      'datasets: expected a list of at least one data set',
    ]);
  });
});

describe('settings that become others', () => {
  it('ranks and alphas', () => {
    const network = (given: Section): unknown => read({ network: given }).network;
    expect(network({ rank: 8, linear: 16, alpha: 4 })).toMatchObject({ rank: 8, alpha: 4 });
    expect(network({ linear: 16 })).toMatchObject({ rank: 16, alpha: 1 });
    expect(network({ linear: 16, linear_alpha: null })).toMatchObject({ rank: 16, alpha: 16 });
    expect(network({ rank: 2, alpha: 0, conv: 8 })).toMatchObject({ alpha: 2, convAlpha: 8 });
    expect(network({ conv: 0, conv_alpha: 4 })).toMatchObject({ conv: undefined });
  });

  it('rates', () => {
    const train = (given: Section): unknown => read({ train: given }).train;
    expect(train({ lr: 1e-4, text_encoder_lr: 5e-5 })).toMatchObject({
      unetLr: 1e-4,
      textEncoderLr: 5e-5,
    });
    const prodigy = read({ train: { optimizer: 'Prodigy', lr: 1e-4 } });
    expect(prodigy.train).toMatchObject({ optimizer: 'prodigy', lr: 1, unetLr: 1 });
    expect(prodigy.substitutions[0]).toMatch(/^train\.lr: 0\.0001 -> 1 /);
  });

  it('settings of optimizers and schedules, which must have them', () => {
    const given = { weight_decay: 0.1, betas: [0.8, 0.9] };
    expect(read({ train: { optimizer_params: given } }).train.optimizerParams).toEqual(given);
    expect(
      problems(() =>
        read({
          train: {
            optimizer_params: { weight_decoy: 1 },
            lr_scheduler: 'step',
            lr_scheduler_params: { gamma: 'x' },
          },
        }),
      ),
    ).toEqual([
      expect.stringMatching(/^train\.optimizer_params: adamw: expected one of .*weight_decoy$/),
      expect.stringMatching(/^train\.lr_scheduler_params: lr_scheduler step: gamma: .*got x$/),
    ]);
  });

  it('names that mean others', () => {
    const { train, network, sample, save, substitutions } = read({
      train: { optimizer: 'adamw8' },
      network: { type: 'locon' },
      sample: { sampler: 'unipc' },
      save: { dtype: 'bfloat16' },
    });
    expect([train.optimizer, network.type, sample.sampler, save.dtype]).toEqual([
      'adamw',
      'lora',
      'euler',
      'bf16',
    ]);
    expect(substitutions).toEqual([
      'train.optimizer: adamw8 -> adamw (fp32 state)',
      'network.type: locon -> lora (LoRA, with convolutions where conv is set)',
      'sample.sampler: unipc -> euler (the nearest sampler here)',
    ]);
    expect(problems(() => read({ train: { optimizer: 'dadaptadam' } }))[0]).toContain('dadaptadam');
    expect(problems(() => read({ train: { lr_scheduler: 'x' } }))[0]).toContain(
      'Scheduler must be cosine, cosine_with_restarts, step, linear or constant',
    );
  });

  it('families', () => {
    const arch = (given: Section): unknown =>
      read({ model: { name_or_path: 'x', ...given } }).model.arch;
    expect(arch({ is_xl: true })).toEqual({ name: 'sdxl', family: 'sdxl' });
    expect(arch({ arch: 'zimage:turbo' })).toEqual({ name: 'zimage', family: 'z-image' });
    expect(problems(() => arch({ arch: 'ltx2' }))[0]).toMatch(
      /^model\.arch: ltx2 is not trained here; the models that are: sd1, /,
    );
  });

  it('null is the default, or what it says', () => {
    const { logging, train } = read({ logging: { log_every: null }, train: { steps: null } });
    expect(logging.logEvery).toBe(1);
    expect(train.steps).toBe(1000);
  });
});

describe('the environment of a job', () => {
  it('seeds, stops at what is not finite, and is told what means nothing', () => {
    const job = read({}, { SEED: '7', DEBUG_TOOLKIT: '1', COMFY_PATH: '/x' });
    expect(job).toMatchObject({ seed: 7, stopsOnNotFinite: true });
    expect(job.substitutions[0]).toMatch(/^COMFY_PATH: \/x -> ignored/);
    expect(read({ training_seed: 3 }, { SEED: '7' }).seed).toBe(3);
    expect(problems(() => read({}, { SEED: 'x' }))[0]).toMatch(/^SEED: /);
  });

  it('says where paths may lead', () => {
    const refuse: Place = (path) => {
      throw new NoodleError('PATH_OUTSIDE', { path, reason: 'lies outside the folder' });
    };
    expect(problems(() => read({}, {}, refuse))).toEqual([
      "training_folder: path 'output' lies outside the folder",
      "model.name_or_path: path 'tiny.safetensors' lies outside the folder",
      "datasets[0].folder_path: path 'foxes' lies outside the folder",
    ]);
  });
});

describe('settings that must agree', () => {
  it.each([
    [{ train: { gradient_accumulation: 2, gradient_accumulation_steps: 2 } }, 'mutually exclusive'],
    [
      {
        trigger_word: 'x',
        train: { diff_output_preservation: true, blank_prompt_preservation: true },
      },
      'mutually exclusive',
    ],
    [{ train: { diff_output_preservation: true } }, 'needs a trigger_word'],
    [{ train: { noise_scheduler: 'flowmatch', min_snr_gamma: 5 } }, 'min_snr_gamma'],
    [{ train: { train_unet: false } }, 'nothing would be trained'],
    [{ train: { min_denoising_steps: 500, max_denoising_steps: 500 } }, 'below'],
    [
      { datasets: [{ folder_path: 'a', cache_text_embeddings: true }, { folder_path: 'b' }] },
      'for all of them or for none',
    ],
    [{ datasets: [{ folder_path: 'a', is_reg: true }] }, 'regularisation'],
  ])('%j', (changes, problem) => {
    expect(problems(() => read(changes)).join()).toContain(problem);
  });
});
