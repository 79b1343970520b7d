/** What trainers call the modules of a diffusion model: diffusers' names, where they differ from ours. */
import { diffusersModules } from '../../weights/key-maps/diffusers-unet.ts';
import { type ModuleName, namesIn } from '../../weights/key-maps/transformer-modules.ts';
import type { TrainedFamily } from './families.ts';
import type { ModulePart } from './module.ts';

/** A module's name, and those of the modules that share its matrix, where there are several. */
export interface ModulePath {
  readonly path: string;
  readonly parts?: readonly ModulePart[];
}

/** Gives the names of a module by our own dotted name and its weight's shape. */
export type Paths = (module: string, shape: readonly number[]) => ModulePath;

/** The names of a network that has these keys. */
export function modulePaths(
  { diffusers, prefers, reordered }: TrainedFamily,
  keys: Iterable<string>,
): Paths {
  if (diffusers === undefined) return (module) => ({ path: module });
  if (diffusers !== 'unet') {
    const namesOf = namesIn(diffusers);
    return (module, shape) =>
      reordered?.(module, shape) ? { path: module } : ofMatrix(module, namesOf(module), shape);
  }
  const names = diffusersModules(keys);
  return (module) => {
    const all = names.get(module) ?? [module];
    return { path: all.find((name) => prefers && name.startsWith(prefers)) ?? all[0] };
  };
}

/** The first name counts, and with one of rows those that follow until they fill the matrix. */
function ofMatrix(
  module: string,
  names: readonly ModuleName[],
  shape: readonly number[],
): ModulePath {
  if (names.length === 0) return { path: module };
  if (!names[0].rows) return { path: names[0].name };
  const parts: ModulePart[] = [];
  let end = 0;
  for (const { name, rows } of names) {
    const range = rows?.(shape);
    if (range?.[0] !== end) break;
    parts.push({ path: name, rows: range });
    end = range[1];
  }
  return end === shape[0] ? { path: module, parts } : { path: module };
}
