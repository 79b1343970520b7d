/**
 * How trainers name the tensors of saved adapters, as rows: ComfyUI's node, the YAML trainer (ai-toolkit),
 * sd-scripts, PEFT and LyCORIS. Facts: spec/training.md 1.5, 6.2 to 6.4.
 */
import { type TrainedEncoder, type TrainedModule, ownPath } from '../modules/module.ts';

export interface Dialect {
  /** In front of names of the diffusion model. */
  readonly model: string;
  /** Which name of a module: our own, or that of trainers, which is diffusers' where it has one. */
  readonly named: 'own' | 'path';
  /** Whether dots of a name become underscores. */
  readonly underscored: boolean;
  /** Suffixes other than the first that the kinds of adapters list, by part. */
  readonly suffixes?: Readonly<Record<string, string>>;
  /** Files say no alpha where the factors can hold it: readers take the rank for it. */
  readonly hidesAlpha?: boolean;
}

const peft = {
  underscored: false,
  suffixes: { up: '.lora_B.weight', down: '.lora_A.weight' },
  hidesAlpha: true,
} as const;

const rows = {
  comfyui: { model: 'diffusion_model.', named: 'own', underscored: false },
  diffusers: { model: 'lora_unet_', named: 'path', underscored: true },
  kohya: { model: 'lora_unet_', named: 'own', underscored: true },
  lycoris: { model: 'lycoris_', named: 'path', underscored: true },
  peft: { model: 'transformer.', named: 'path', ...peft },
  'comfyui-peft': { model: 'diffusion_model.', named: 'path', ...peft },
} as const satisfies Readonly<Record<string, Dialect>>;

export type DialectName = keyof typeof rows;

export const dialects: Readonly<Record<DialectName, Dialect>> = rows;

/** The name of a module without suffix, by its dialect; `path` is one of its names. */
export function savedName({ model, underscored }: Dialect, path: string): string {
  return model + (underscored ? path.replaceAll('.', '_') : path);
}

/** What sd-scripts puts in front of a text encoder's modules: alone in its model, and among others. */
const numbered: Readonly<Record<string, readonly [alone: string, among: string]>> = {
  clip_l: ['lora_te', 'lora_te1'],
  clip_h: ['lora_te', 'lora_te1'],
  clip_g: ['lora_te', 'lora_te2'],
  t5xxl: ['lora_te1', 'lora_te3'],
};

/** The same; undefined for encoders that it has no number for. */
export function encoderNumber({ name, alone }: TrainedEncoder): string | undefined {
  return numbered[name]?.[alone ? 0 : 1];
}

/** The name of a text encoder's module: with its number and underscores, or ComfyUI's full one. */
export function savedEncoderName(
  { underscored }: Dialect,
  encoder: TrainedEncoder,
  path: string,
): string {
  const number = underscored ? encoderNumber(encoder) : undefined;
  if (number !== undefined) return `${number}_${path.replaceAll('.', '_')}`;
  return `text_encoders.${encoder.name}.transformer.${path}`;
}

/** The name that every loader of ours and of ComfyUI knows a module by, whatever its dialect. */
export function fullName(module: TrainedModule): string {
  const { encoder } = module;
  return encoder
    ? savedEncoderName(dialects.comfyui, encoder, ownPath(module))
    : savedName(dialects.comfyui, ownPath(module));
}
