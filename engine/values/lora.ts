/** Adapter files (LoRA and kin) on MODEL and CLIP values. */
import { fitAdapters, loraPatch } from '../patch/lora/lora.ts';
import { madeFor } from '../patch/lora/made-for.ts';
import { type WeightNames, clipNames, unetNames } from '../patch/lora/names.ts';
import { type AdapterEntry, readAdapters } from '../patch/lora/read.ts';
import { openSource } from '../weights/open.ts';
import type { WeightSource } from '../weights/source.ts';
import type { Clip } from './clip.ts';
import { instead } from './contents.ts';
import type { Model } from './model.ts';
import type { Weighted } from './network.ts';

/** An adapter file, read whole: its factors are fed to the networks. */
export interface LoraFile {
  readonly path: string;
  readonly entries: readonly AdapterEntry[];
  /** Keys of no known form. */
  readonly unknown: readonly string[];
  /** ` but seems to be …`, or empty: for a file that holds no adapter. */
  readonly instead: string;
}

/** Reads a file of `loras`. Throws what opening weights throws. */
export const openLora = async (path: string): Promise<LoraFile> =>
  readLora(await openSource(path), path);

/** The same of tensors that are at hand; `path` names them in messages. */
export async function readLora(source: WeightSource, path = source.label): Promise<LoraFile> {
  return { path, ...(await readAdapters(source)), instead: instead(source) };
}

export interface LoraStrengths {
  readonly model: number;
  readonly clip: number;
}

/**
 * The values with the file on them; either may be missing. `warn` hears of entries that name nothing
 * in them, or do not fit what they name.
 */
export function withLora<M extends Model | null, C extends Clip | null | undefined>(
  { model, clip }: { readonly model: M; readonly clip: C },
  file: LoraFile,
  strengths: LoraStrengths,
  warn: (message: string) => void,
): { model: M; clip: C } {
  const taken = new Set<string>();
  const misfits = new Set<string>();
  const put = <N extends Weighted>(network: N, names: WeightNames, strength: number): N => {
    const fitted = fitAdapters(file.entries, names, network.source);
    fitted.taken.forEach((name) => taken.add(name));
    fitted.misfits.forEach((name) => misfits.add(name));
    if (strength === 0 || fitted.acts.size === 0) return network;
    const patch = loraPatch(`lora${network.patches.length}`, fitted, strength);
    return { ...network, patches: [...network.patches, patch] };
  };
  const result = {
    model: model && put(model, unetNames(model.source.tensors.keys()), strengths.model),
    clip: clip && {
      ...clip,
      encoders: clip.encoders.map((encoder) =>
        put(
          encoder,
          clipNames(encoder.spec.name, encoder.source.tensors.keys(), clip.encoders[0].spec.name),
          strengths.clip,
        ),
      ),
    },
  };
  if (taken.size === 0 && misfits.size === 0) {
    if (model || clip) warn(noneFits(file, model?.family.title));
    return result;
  }
  const strange = [
    ...file.unknown,
    ...file.entries.map(({ name }) => name).filter((name) => !taken.has(name)),
  ];
  // a loader for the model alone leaves the text encoders' part
  if (clip !== undefined) tell(warn, file, strange, 'no weight of this model has these names');
  tell(warn, file, [...misfits], 'the weights of these names have other shapes');
  return result;
}

/** Why a file changes nothing. */
function noneFits({ path, entries, instead }: LoraFile, title = 'text encoders'): string {
  if (entries.length === 0) return `${path}: it holds no LoRA${instead}`;
  const network = madeFor(entries.map(({ name }) => name));
  const made = network === undefined ? '' : `; it seems to be made for ${network}`;
  return `${path}: nothing in this file fits ${title}${made}`;
}

const shown = 5;

function tell(
  warn: (message: string) => void,
  { path }: LoraFile,
  names: readonly string[],
  what: string,
): void {
  if (names.length === 0) return;
  const more = names.length > shown ? ` and ${names.length - shown} more` : '';
  const list = names.slice(0, shown).join(', ');
  warn(`${path}: left out, for ${what}: ${list}${more}`);
}
