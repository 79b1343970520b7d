/** Settings of a form as job files: whatever can be chosen, the reader of job files takes. */
import { expect, it } from 'vitest';
import { archOf } from '../../../../engine/training/job/sections/archs.ts';
import { readJobTree } from '../../../../engine/training/job/read-job.ts';
import {
  NETWORKS,
  OPTIMIZERS,
  SCHEDULES,
  TRAINED_FAMILIES,
  jobOfSettings,
  settingOf,
} from '../../../../engine/training/runs/settings.ts';

const settings = {
  checkpoint: 'a.safetensors',
  family: 'sd1',
  datasets: ['cats', 'dogs'],
  network: 'lora',
  rank: 8,
  steps: 7,
  learning_rate: 0.001,
  trigger_word: 'sks',
  prompts: ['a [trigger]'],
  caption_dropout: 0.1,
};
const read = (more: object) => {
  const tree = jobOfSettings('run', { ...settings, ...more }) as {
    config: { process: Record<string, unknown>[] };
  };
  tree.config.process[0].training_folder = 'output/training';
  return readJobTree('job', tree, { environment: {}, place: (path) => path })[0];
};

it('become a job that has no findings', () => {
  const job = read({});
  expect(job).toMatchObject({
    ...{ name: 'run', trigger: 'sks', substitutions: [], warnings: [] },
    train: { steps: 7, lr: 0.001, noiseScheduler: 'ddpm' },
    sample: { samples: [{ prompt: 'a sks' }] },
  });
  expect(job.datasets.map(({ folderPath, resolution }) => [folderPath, resolution])).toEqual([
    ['cats', 512],
    ['dogs', 512],
  ]);
});

it.each(TRAINED_FAMILIES)('know the family $title', ({ arch, noise }) => {
  expect(archOf(arch, {})?.name).toBe(arch);
  const job = read({ family: arch, resolutions: [512, 768] });
  expect(job.train.noiseScheduler).toBe(noise);
  expect([job.datasets.length, job.warnings, job.substitutions]).toEqual([4, [], []]);
});

it.each([
  ...NETWORKS.map((network) => ({ network })),
  ...OPTIMIZERS.map((optimizer) => ({ optimizer })),
  ...SCHEDULES.map((schedule) => ({ schedule })),
])('take %o', (choice) => {
  // Of all rates, this one suits Prodigy.
  expect(read({ ...choice, learning_rate: 1 }).substitutions).toEqual([]);
});

it('are found again by the keys that problems name', () => {
  expect(settingOf('train.lr')).toBe('learning_rate');
  expect(settingOf('datasets[1].folder_path')).toBe('datasets');
  expect(settingOf('datasets[0].resolution')).toBe('resolutions');
  expect(settingOf('network.dropout')).toBeUndefined();
});
