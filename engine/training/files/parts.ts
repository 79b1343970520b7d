/**
 * What kinds of adapters allow with their parts: rows of a matrix by themselves, and a file without alpha. By the
 * names of engine/patch/lora/kinds.ts.
 */
import { rows as rowsOf } from '../../array/batch.ts';
import type { NDArray } from '../../array/nd.ts';
import type { AdapterParts } from '../../patch/lora/kinds.ts';
import type { Rows } from '../modules/module.ts';

interface SavedKind {
  /** The same adapter for some rows of the weight; undefined where these have none of their own. */
  rows(parts: AdapterParts, rows: Rows): AdapterParts | undefined;
  /** The same change of the weight without `alpha`. */
  readonly withoutAlpha?: (parts: AdapterParts) => AdapterParts;
}

const cut = (parts: AdapterParts, names: readonly string[], [start, end]: Rows): AdapterParts => ({
  ...parts,
  ...Object.fromEntries(names.map((name) => [name, rowsOf(parts[name], start, end)])),
});

const scaled = ({ data, shape }: NDArray, factor: number): NDArray =>
  factor === 1 ? { data, shape } : { data: data.map((value) => value * factor), shape };

/** Kinds that are not here change rows together. */
export const savedKinds: Readonly<Record<string, SavedKind>> = {
  lora: {
    rows: (parts, rows) => cut(parts, ['up'], rows),
    withoutAlpha: ({ alpha, ...parts }) => {
      const factor = alpha === undefined ? 1 : alpha.data[0] / parts.down.shape[0];
      return { ...parts, up: scaled(parts.up, factor) };
    },
  },
  loha: {
    rows: (parts, rows) => (parts.t1 ? undefined : cut(parts, ['h1a', 'h2a'], rows)),
  },
  lokr: {
    // rows of a Kronecker product are those of its first factor, each times the second's
    rows(parts, [start, end]) {
      const [block] = parts.w2?.shape ?? parts.w2a.shape;
      if (parts.t2 || start % block !== 0 || end % block !== 0) return undefined;
      return cut(parts, [parts.w1 ? 'w1' : 'w1a'], [start / block, end / block]);
    },
  },
  diff: { rows: (parts, rows) => cut(parts, ['diff'], rows) },
};
