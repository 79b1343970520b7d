/** `config.process[]` itself, and the environment of a job. */
import { filledText, mapping, text, textOrNone, whole } from '../readers.ts';
import { type Reader, type Rows, each, ignored, optional, refused, required } from '../row.ts';

const OTHER = 'only adapters are trained';

const trainingFolder: Reader<string> = (given, at, found) =>
  found.place(filledText(given, at, found), 'training folder');

export const processRows = {
  type: required(text),
  name: optional(filledText),
  training_folder: required(trainingFolder),
  device: ignored('noodle train --device says where it is computed'),
  trigger_word: optional(textOrNone),
  training_seed: optional(whole()),
  performance_log_every: ignored('every step says how long it took', 0),
  log_dir: ignored('losses lie in losses.jsonl'),
  sqlite_db_path: ignored('the run folder holds what is known of a run', './aitk_db.db'),
  torch_profiler: ignored('there is no torch'),
  network: optional(mapping),
  train: optional(mapping),
  model: optional(mapping),
  datasets: optional((given) => given),
  save: optional(mapping),
  sample: optional(mapping),
  first_sample: optional(mapping),
  logging: optional(mapping),
  ...each(refused(OTHER), [
    'embedding',
    'adapter',
    'decorator',
    'guidance',
    'slider',
    'do_lorm',
    'lorm_extract_mode_param',
  ]),
  lorm_extract_mode: refused(OTHER, 'ratio'),
} satisfies Rows;

/** Kinds of job, each with its kinds of process: what `trains`, and why others cannot run. */
export const forms: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  extension: {
    ...each('trains', [
      'sd_trainer',
      'textual_inversion_trainer',
      'diffusion_trainer',
      'ui_trainer',
    ]),
    ...each(OTHER, [
      'concept_slider',
      'ultimate_slider_trainer',
      'image_reference_slider_trainer',
      'concept_replacer',
    ]),
    ...each('nothing is made but by workflows', [
      'reference_generator',
      'pure_lora_generator',
      'batch_img2img',
    ]),
    ...each('data sets are not changed by jobs', ['dataset_tools', '*caption*']),
  },
  train: each(OTHER, [
    'vae',
    'slider',
    'slider_old',
    'lora_hack',
    'rescale_sd',
    'esrgan',
    'reference',
  ]),
  extract: each('adapters are extracted by the node LoraSave', ['lora', 'locon']),
  generate: each('pictures are made by workflows', ['to_folder']),
  mod: each('adapters are not changed by jobs', ['rescale_lora']),
};

/** Variables of the environment that upstream reads. */
export const environmentRows = {
  AITK_JOB_ID: ignored('runs are told apart by their names'),
  COMFY_PATH: ignored('there is no other installation to look into'),
} satisfies Rows;
