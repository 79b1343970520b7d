/** `model`: what the adapter is trained for. */
import type { Reading } from '../findings.ts';
import { reading } from '../read-section.ts';
import { filledText, flag, mapping, path, textOrNone } from '../readers.ts';
import {
  type Reader,
  type Rows,
  type Values,
  each,
  ignored,
  key,
  optional,
  refused,
  required,
} from '../row.ts';
import { type Arch, archOf, olderForms } from './archs.ts';

const MEMORY = 'memory is managed by the budget of the device';
const OTHER_MODELS = 'one model is trained, with what its own folder or file holds';

const modelPath: Reader<string> = (given, at, found) =>
  found.place(filledText(given, at, found), 'model');

/** Parts by their names. */
const modelPaths: Reader<Readonly<Record<string, string | undefined>>> = (given, at, found) => {
  const entries = Object.entries(mapping(given, at, found));
  return Object.fromEntries(
    entries.map(([name, value]) => [name, path('model')(value, `${at}.${name}`, found)]),
  );
};

export const modelRows = {
  name_or_path: required(modelPath),
  arch: optional(filledText),
  ...olderForms,
  is_v_pred: key(flag, false),
  dtype: ignored('train.dtype counts'),
  vae_path: optional(path('model')),
  unet_path: optional(path('model')),
  te_name_or_path: optional(path('model')),
  extras_name_or_path: optional(path('model')),
  model_paths: optional(modelPaths),
  lora_path: optional(path('adapter')),
  latent_space_version: optional(textOrNone),
  use_text_encoder_1: key(flag, true),
  use_text_encoder_2: key(flag, true),
  use_flux_cfg: key(flag, false),
  attn_masking: refused('attention is not masked'),
  assistant_lora_path: refused('distilled models are trained without an assistant'),
  ...each(refused(OTHER_MODELS), [
    'inference_lora_path',
    'unconditional_lora_path',
    'refiner_name_or_path',
    'accuracy_recovery_adapter',
    'experimental_xl',
    'unet_sample_size',
    'in_context',
  ]),
  refiner_start_at: refused(OTHER_MODELS, 0.5),
  model_kwargs: refused('no model that is trained here has such settings'),
  ...each(ignored(MEMORY), [
    'quantize',
    'quantize_te',
    'qtype_te',
    'quantize_kwargs',
    'low_vram',
    'auto_memory',
    'layer_offloading*',
    'ignore_if_contains',
    'only_if_contains',
    'compile',
    'block_compile',
    'compile_mode',
    'compile_fullgraph',
    'compile_dynamic',
    'cache_size_limit',
    'split_model_over_gpus',
    'split_model_other_module_param_count_scale',
    'vae_device',
    'te_device',
    'vae_dtype',
    'te_dtype',
  ]),
  qtype: ignored(MEMORY, 'qfloat8'),
  text_encoder_bits: ignored(MEMORY, 16),
} satisfies Rows;

/** The model; paths as the file has them. */
export interface ModelSettings extends Omit<
  Values<typeof modelRows>,
  'arch' | keyof Values<typeof olderForms>
> {
  /** What the file says that the model is; where it says nothing the weights tell. */
  readonly arch: Arch | undefined;
}

/** The family of a model is what `arch` or one of the older flags says. */
export function modelSettings(
  values: Values<typeof modelRows>,
  at: string,
  found: Reading,
): ModelSettings {
  const arch = reading(`${at}arch`, undefined, found, () => archOf(values.arch, values));
  return { ...values, arch };
}
