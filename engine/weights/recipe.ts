/** Computing weights that are described by recipes; synchronous, for threads of their own. */
import { decode, sizeInBytes } from './dtypes.ts';
import { readFloatsSync } from './read.ts';
import type { Recipe, WeightEntry } from './source.ts';
import { encodeAs } from './write.ts';

/** What makes an entry; undefined for one that only a function of this thread computes. */
export function recipeOf(entry: WeightEntry): Recipe | undefined {
  return entry.bytes.kind === 'computed' ? entry.bytes.recipe : { kind: 'stored', entry };
}

/** The f32 numbers that a recipe makes. */
export function follow(recipe: Recipe): Float32Array {
  if (recipe.kind === 'stored') return readFloatsSync(recipe.entry);
  if (recipe.kind === 'rounded') return decode(encoded(recipe, recipe.to), recipe.to);
  const values = follow(recipe.first);
  const { first, second } = recipe.factors;
  if (first === 1 && second === 0) return values;
  const [a, b] = [Math.fround(first), Math.fround(second)];
  const other = recipe.second && b !== 0 ? follow(recipe.second) : undefined;
  // each product and sum rounded to f32, as ComfyUI's steps are
  const out = recipe.first.kind === 'stored' ? new Float32Array(values.length) : values;
  if (!other) {
    for (let i = 0; i < out.length; i++) out[i] = values[i] * a;
  } else {
    for (let i = 0; i < out.length; i++) {
      out[i] = Math.fround(values[i] * a) + Math.fround(b * other[i]);
    }
  }
  return out;
}

/** The types that whole models are rounded to. */
export type NarrowType = Extract<Recipe, { kind: 'rounded' }>['to'];

/** An entry rounded to `to` (nearest, halves to even) when it is asked for; itself where it is of the type. */
export function roundedEntry(entry: WeightEntry, to: NarrowType): WeightEntry {
  const of = recipeOf(entry);
  if (!of || entry.dtype === to) return entry;
  const { name, shape } = entry;
  const recipe: Recipe = { kind: 'rounded', of, to };
  const compute = async (): Promise<Float32Array> => follow(recipe);
  const bytes = { kind: 'computed', recipe, compute, savedAs: to } as const;
  return { name, dtype: to, shape, byteLength: sizeInBytes(to, shape), bytes };
}

/** The bytes of a recipe's numbers, rounded to a storage type. Throws UNSUPPORTED for one without. */
export function encoded(recipe: Recipe, dtype: string): Uint8Array {
  // rounding once is enough
  const rounded = recipe.kind === 'rounded' && recipe.to === dtype;
  return encodeAs(follow(rounded ? recipe.of : recipe), dtype);
}
