/** The tensors of an adapter file: what was trained, under the names of a dialect. */
import type { NDArray } from '../../array/nd.ts';
import { NoodleError } from '../../errors.ts';
import {
  type AdapterKind,
  type AdapterParts,
  adapterKinds,
  commonParts,
} from '../../patch/lora/kinds.ts';
import { type TrainedModule, ownPath } from '../modules/module.ts';
import { type Dialect, fullName, savedEncoderName, savedName } from './dialects.ts';
import { savedKinds } from './parts.ts';

/**
 * The tensors to save by name. A module's parts have the names that readers give them (`up`, `down`, `alpha`,
 * `h1a` …, `w1` …, `blocks`, `dora`, `diff`, `bias`; engine/patch/lora/kinds.ts) and are saved in their order.
 * What diffusers has several modules for is saved as several where the adapter allows it, and under its full
 * name where it does not. Throws BAD_INPUT for parts that make no adapter.
 */
export function savedTensors(
  adapters: Iterable<readonly [TrainedModule, AdapterParts]>,
  dialect: Dialect,
): Map<string, NDArray> {
  const tensors = new Map<string, NDArray>();
  for (const [module, { bias, ...parts }] of adapters) {
    const kind = kindOf(parts);
    if (!kind && Object.keys(parts).length > 0) {
      const got = Object.keys(parts).join(', ');
      const subject = `what was trained of '${module.key}'`;
      throw new NoodleError('BAD_INPUT', { subject, expected: 'all parts of an adapter', got });
    }
    const places = kind ? placesOf(module, parts, kind, dialect) : [];
    for (const [name, some] of places) {
      const { hidesAlpha, suffixes } = dialect;
      const bare = (hidesAlpha && kind && savedKinds[kind.name]?.withoutAlpha) || undefined;
      for (const [part, array] of Object.entries(bare ? bare(some) : some)) {
        tensors.set(name + (suffixes?.[part] ?? suffixOf(part, kind)), array);
      }
    }
    if (bias) {
      const name = places.length === 1 ? places[0][0] : fullName(module);
      tensors.set(name + suffixOf('bias'), bias);
    }
  }
  return tensors;
}

const kindOf = (parts: AdapterParts): AdapterKind | undefined =>
  adapterKinds.findLast(({ needs }) =>
    needs.every((choices) => choices.some((part) => part in parts)),
  );

const suffixOf = (part: string, kind?: AdapterKind): string =>
  (kind?.parts[part] ?? commonParts[part])[0];

/** A module's names, each with what is saved under it. */
function placesOf(
  module: TrainedModule,
  parts: AdapterParts,
  kind: AdapterKind,
  dialect: Dialect,
): readonly (readonly [name: string, parts: AdapterParts])[] {
  const { encoder, path, parts: shared, rows } = module;
  const own = ownPath(module);
  const named = (path: string): string => savedName(dialect, path);
  if (encoder) return [[savedEncoderName(dialect, encoder, own), parts]];
  // rows have diffusers' names alone
  if (rows) return [[dialect.named === 'path' ? named(path) : `transformer.${path}`, parts]];
  // names with underscores mean a module's weight
  if (!module.key.endsWith('.weight')) return [[fullName(module), parts]];
  if (dialect.named === 'own') return [[named(own), parts]];
  if (shared) {
    const each = shared.map(({ path, rows }) => {
      const some = parts.dora ? undefined : savedKinds[kind.name]?.rows(parts, rows);
      return some && ([named(path), some] as const);
    });
    if (each.every((place) => place !== undefined)) return each;
  }
  return [[path === own ? fullName(module) : named(path), parts]];
}
