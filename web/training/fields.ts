import type { FieldKind } from '../../engine/workflow/form/form.ts';
import type { Value } from '../forms/api.ts';
import type { Options } from './api.ts';

/** A setting as it is asked for. */
export interface Row {
  readonly key: string;
  readonly label: string;
  readonly help?: string;
  readonly kind: FieldKind;
  readonly section: string;
  readonly options?: (choices: Choices) => readonly string[];
  readonly min?: number;
  readonly max?: number;
  /** It may be left empty: then it is not said. */
  readonly open?: boolean;
  readonly advanced?: boolean;
  /** The setting that a value is, where it is not the value itself. */
  readonly setting?: (value: Value, choices: Choices) => unknown;
}

/** What there is to choose from. */
export interface Choices extends Options {
  readonly datasets: readonly string[];
}

const lines = (value: Value): readonly string[] =>
  String(value ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

const sizes = (value: Value): readonly number[] =>
  String(value ?? '')
    .split(/[\s,;]+/)
    .filter((word) => word !== '')
    .map(Number);

const what = 'What is learnt';
const network = 'Adapter';
const learning = 'Learning';
const saving = 'Saves and samples';

/** The settings of a new run. */
export const rows: readonly Row[] = [
  { key: 'name', label: 'Name', help: 'The file is called so too', kind: 'text', section: what },
  {
    key: 'checkpoint',
    label: 'Base model',
    kind: 'select',
    section: what,
    options: ({ checkpoints }) => checkpoints,
  },
  {
    key: 'family',
    label: 'Kind of model',
    kind: 'select',
    section: what,
    options: ({ families }) => families.map(({ title }) => title),
    setting: (value, { families }) => families.find(({ title }) => title === value)?.arch,
  },
  {
    key: 'dataset',
    label: 'Data set',
    kind: 'select',
    section: what,
    options: ({ datasets }) => datasets,
  },
  {
    key: 'trigger_word',
    label: 'Trigger word',
    help: 'Put into every caption that does not have it; prompts with it show what was learnt',
    kind: 'text',
    section: what,
  },
  {
    key: 'network',
    label: 'Kind of adapter',
    kind: 'select',
    section: network,
    options: ({ networks }) => networks,
  },
  { key: 'rank', label: 'Rank', kind: 'int', section: network, min: 1, max: 1024 },
  {
    key: 'alpha',
    label: 'Alpha',
    help: 'Left empty, as much as the rank',
    kind: 'float',
    section: network,
    min: 0,
    max: 4096,
    open: true,
    advanced: true,
  },
  {
    key: 'conv_rank',
    label: 'Rank of convolutions',
    help: 'Left empty, convolutions are not trained',
    kind: 'int',
    section: network,
    min: 1,
    max: 1024,
    open: true,
    advanced: true,
  },
  { key: 'steps', label: 'Steps', kind: 'int', section: learning, min: 1 },
  { key: 'learning_rate', label: 'Learning rate', kind: 'float', section: learning, min: 0 },
  {
    key: 'optimizer',
    label: 'Optimizer',
    kind: 'select',
    section: learning,
    options: ({ optimizers }) => optimizers,
  },
  {
    key: 'schedule',
    label: 'Schedule',
    kind: 'select',
    section: learning,
    options: ({ schedules }) => schedules,
  },
  { key: 'batch_size', label: 'Pictures at once', kind: 'int', section: learning, min: 1 },
  {
    key: 'resolutions',
    label: 'Resolutions',
    help: 'Pixels of a side, several with commas; left empty, what suits the model',
    kind: 'text',
    section: learning,
    open: true,
    setting: (value) => (sizes(value).length === 0 ? undefined : sizes(value)),
  },
  {
    key: 'gradient_accumulation',
    label: 'Batches to a step',
    kind: 'int',
    section: learning,
    min: 1,
    advanced: true,
  },
  {
    key: 'caption_dropout',
    label: 'Captions left out',
    help: 'Part of the pictures that are learnt without a caption, 0 to 1',
    kind: 'float',
    section: learning,
    min: 0,
    max: 1,
    advanced: true,
  },
  {
    key: 'min_snr_gamma',
    label: 'Min-SNR gamma',
    help: 'Left empty, all steps of noise count the same; 5 is usual',
    kind: 'float',
    section: learning,
    min: 0,
    open: true,
    advanced: true,
  },
  {
    key: 'train_text_encoder',
    label: 'Train the text encoder too',
    kind: 'bool',
    section: learning,
    advanced: true,
  },
  {
    key: 'ema',
    label: 'Save the average of the steps',
    kind: 'bool',
    section: learning,
    advanced: true,
  },
  {
    key: 'seed',
    label: 'Seed',
    help: 'With one, the same run gives the same file',
    kind: 'int',
    section: learning,
    min: 0,
    open: true,
    advanced: true,
  },
  { key: 'save_every', label: 'Steps between saves', kind: 'int', section: saving, min: 1 },
  { key: 'sample_every', label: 'Steps between samples', kind: 'int', section: saving, min: 1 },
  {
    key: 'prompts',
    label: 'Prompts of samples',
    help: 'One a line; none: no samples. [trigger] is the trigger word',
    kind: 'longtext',
    section: saving,
    setting: lines,
  },
  {
    key: 'saves_to_keep',
    label: 'Saves to keep',
    help: 'Older ones are deleted; 0 keeps all',
    kind: 'int',
    section: saving,
    min: 0,
    advanced: true,
  },
  {
    key: 'negative_prompt',
    label: 'Negative prompt of samples',
    kind: 'text',
    section: saving,
    advanced: true,
  },
  {
    key: 'sample_steps',
    label: 'Steps of a sample',
    kind: 'int',
    section: saving,
    min: 1,
    advanced: true,
  },
  {
    key: 'guidance_scale',
    label: 'Guidance of samples',
    kind: 'float',
    section: saving,
    min: 0,
    advanced: true,
  },
  {
    key: 'sample_seed',
    label: 'Seed of samples',
    kind: 'int',
    section: saving,
    min: 0,
    advanced: true,
  },
];
