/** `--precision`, and ComfyUI's flags that say the same, as wishes for each part. */
import { NoodleError } from './errors.ts';
import { type Flag, type Values, flag, text, toggle } from './flags.ts';
import type { PrecisionWish, PrecisionWishes, Role } from './runtime/precision.ts';

type Part = keyof PrecisionWishes;

/** What stands before `=` in `--precision`. */
const parts = ['network', 'text-encoder', 'vae'] satisfies readonly Role[];

/** ComfyUI's flags: the part they speak of, and the precisions that come nearest, the nearest first. */
const comfyFlags: Readonly<Record<string, readonly [part: Part, ...names: string[]]>> = {
  '--force-fp32': ['all', 'fp32'],
  '--force-fp16': ['all', 'fp16'],
  '--fp32-unet': ['network', 'fp32'],
  '--fp64-unet': ['network', 'fp64', 'fp32'],
  '--bf16-unet': ['network', 'bf16', 'fp16'],
  '--fp16-unet': ['network', 'fp16'],
  '--fp8_e4m3fn-unet': ['network', 'fp8', 'fp16'],
  '--fp8_e5m2-unet': ['network', 'fp8', 'fp16'],
  '--fp8_e8m0fnu-unet': ['network', 'fp8', 'fp16'],
  '--fp16-vae': ['vae', 'fp16'],
  '--fp32-vae': ['vae', 'fp32'],
  '--bf16-vae': ['vae', 'bf16', 'fp16'],
  '--fp8_e4m3fn-text-enc': ['text-encoder', 'fp8', 'fp16'],
  '--fp8_e5m2-text-enc': ['text-encoder', 'fp8', 'fp16'],
  '--fp16-text-enc': ['text-encoder', 'fp16'],
  '--fp32-text-enc': ['text-encoder', 'fp32'],
  '--bf16-text-enc': ['text-encoder', 'bf16', 'fp16'],
};

/** The flags of our own. */
export const PRECISION = {
  precision: text(
    '--precision <NAME[,PART=NAME...]>',
    'auto, fp32, fp16 or int8, what the device has; for all, and for network=, text-encoder= or vae= ' +
      "alone (fp16,vae=fp32); ComfyUI's --fp16-unet, --fp32-vae … are taken too",
    (option) =>
      option.argParser((value, before?: string) =>
        before === undefined ? value : `${before},${value}`,
      ),
  ),
  cpuVae: toggle('--cpu-vae', 'VAE on the processor'),
};

/** ComfyUI's, under their own names. */
export const COMFY_PRECISION: Readonly<Record<string, Flag<boolean>>> = Object.fromEntries(
  Object.keys(comfyFlags).map((form) => [
    form,
    flag(
      form,
      "ComfyUI's",
      (given?: true) => given === true,
      (option) => option.hideHelp(),
    ),
  ]),
);

/**
 * What these flags ask for. Throws BAD_INPUT for a text that cannot be read and for two flags that
 * speak of the same part.
 */
export function precisionWishes(
  { precision, cpuVae }: Values<typeof PRECISION>,
  comfy: Values<typeof COMFY_PRECISION>,
): PrecisionWishes {
  const wishes = readPrecision(precision);
  for (const [flag, [part, ...names]] of Object.entries(comfyFlags)) {
    if (!comfy[flag]) continue;
    const other = wishes[part];
    if (other) refuse(flag, 'nothing else for the same part', other.flag ?? '--precision');
    wishes[part] = { names, flag };
  }
  if (cpuVae) {
    wishes.vae = { names: [], flag: '--cpu-vae', ...wishes.vae, device: 'cpu' };
  }
  return wishes;
}

/** `fp16,vae=fp32` by part. */
function readPrecision(text: string | undefined): Partial<Record<Part, PrecisionWish>> {
  const wishes: Partial<Record<Part, PrecisionWish>> = {};
  for (const item of text?.split(',') ?? []) {
    const [, before, name = ''] = /^(?:([^=]*)=)?([^=]*)$/.exec(item.trim()) ?? [];
    const part = before === undefined ? 'all' : parts.find((known) => known === before.trim());
    if (part === undefined || name.trim() === '') {
      const expected = `a precision, or one after ${parts.map((known) => `${known}=`).join(' or ')}`;
      return refuse('--precision', expected, item);
    }
    if (wishes[part]) refuse('--precision', 'one precision for a part', text!);
    wishes[part] = { names: name.trim() === 'auto' ? [] : [name.trim()] };
  }
  return wishes;
}

function refuse(subject: string, expected: string, got: string): never {
  throw new NoodleError('BAD_INPUT', { subject, expected, got });
}
