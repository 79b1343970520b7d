/**
 * The weights cursor: walks a checkpoint by its own key names. `param` is the one place where stored
 * numbers enter a program, `layer` where they meet activations, and `site` names a part of the network:
 * widening, dequantisation, patches and accounting act here and architectures know of none.
 */
import { NoodleError } from '../errors.ts';
import { storageOf } from '../weights/dtypes.ts';
import type { WeightEntry, WeightSource } from '../weights/source.ts';
import { isNarrowFloat } from './dtype.ts';
import { add, cast, mul, permute } from './nn.ts';
import { leafOps } from './ops/leaves.ts';
import type { Patch, Site, SiteFacts, SiteInputs } from './patch.ts';
import { type Tensor, node } from './tensor.ts';

export interface Weights {
  /** The cursor one or more steps further in: `w.at('in_layers.2')`. */
  at(path: string): Weights;
  /** Whether a tensor, or anything below, has this name here. */
  has(path: string): boolean;
  /** The n for which `path.0` ... `path.(n-1)` exist. */
  count(path: string): number;
  /** The tensor of that name with the shape the file states, as f32 (integers stay as they are). */
  param(name: string): Tensor;
  /** The shape the file states for a tensor. */
  shape(name: string): readonly number[];
  /**
   * The layer with the weight (and bias, where there is one) here, on x: `run` on the stored weight
   * plus what patches put beside it.
   */
  layer(x: Tensor, run: (weight: Tensor, bias?: Tensor) => Tensor): Tensor;
  /** The part of the network here: `run` on its inputs, or what patches make of it. */
  site<I extends SiteInputs>(inputs: I, run: (inputs: I) => Tensor, facts?: SiteFacts): Tensor;
  /** Full path of the cursor; empty at the root. */
  readonly scope: string;
  /** The accounting that all cursors of one source share. */
  readonly ledger: Ledger;
}

/** What a program has asked for. */
export interface Ledger {
  readonly source: WeightSource;
  /** Keys of the parameters that were read. */
  readonly used: ReadonlySet<string>;
  /** The output of every site, by name. */
  readonly sites: ReadonlyMap<string, Tensor>;
  /** Outputs that patches added, by name. */
  readonly outputs: ReadonlyMap<string, Tensor>;
}

/** A cursor at the root of a source, for a network with these patches. */
export function openWeights(source: WeightSource, patches: readonly Patch[] = []): Weights {
  const used = new Set<string>();
  const sites = new Map<string, Tensor>();
  const outputs = new Map<string, Tensor>();
  const ledger: Ledger = { source, used, sites, outputs };
  const output = (name: string, value: Tensor): void => void outputs.set(name, value);
  const known = new Map<string, Tensor>();
  const inner = innerPaths(source);

  const find = (key: string): WeightEntry => {
    const entry = source.tensors.get(key);
    if (!entry) throw new NoodleError('WEIGHTS_MISSING', { file: source.label, key });
    return entry;
  };
  const cursor = (scope: string): Weights => {
    const full = (path: string): string => (scope === '' ? path : `${scope}.${path}`);
    const has = (path: string): boolean => source.tensors.has(full(path)) || inner.has(full(path));
    const self: Weights = {
      scope,
      ledger,
      at: (path) => cursor(full(path)),
      has,
      count: (path) => {
        let n = 0;
        while (has(`${path}.${n}`)) n++;
        return n;
      },
      shape: (name) => find(full(name)).shape,
      param: (name) => {
        const key = full(name);
        let value = known.get(key);
        if (!value) {
          value = widened(key, find(key), scope);
          for (const patch of patches) {
            if (patch.keys?.has(key)) value = patch.change?.(key, value) ?? value;
          }
          known.set(key, value);
          used.add(key);
        }
        return value;
      },
      layer: (x, run) => {
        const key = full('weight');
        const { shape } = find(key);
        const own = (weight: Tensor): Tensor => run(weight);
        let y = run(self.param('weight'), has('bias') ? self.param('bias') : undefined);
        for (const patch of patches.filter(({ keys }) => keys?.has(key))) {
          const change = patch.beside?.({ key, x, shape, run: own });
          if (change) y = add(y, change);
          const factor = patch.scale?.(key);
          if (factor) y = mul(y, factor);
        }
        return y;
      },
      site: (inputs, run, facts = {}) => {
        type Run = Site['run'];
        const patched = patches.reduce<Run>(
          (inner, patch) => (given) =>
            patch.at?.({ name: scope, inputs: given, run: inner, facts, output }) ?? inner(given),
          run as Run, // patches pass on the names they were given
        );
        const out = patched(inputs);
        sites.set(scope, out);
        return out;
      },
    };
    return self;
  };
  return cursor('');
}

/** The stored tensor as a program reads it: floats as f32, axes swapped where the view says so. */
export function widened(key: string, entry: WeightEntry, scope: string): Tensor {
  const { dtype } = storageOf(entry);
  let value: Tensor = node(leafOps.param, [], { key, entry, dtype }, scope);
  if (isNarrowFloat(dtype) || dtype === 'f64') value = cast(value, 'f32');
  return entry.transposed ? permute(value, [1, 0]) : value;
}

/** Every proper prefix of every key, cut at dots. */
function innerPaths(source: WeightSource): ReadonlySet<string> {
  const paths = new Set<string>();
  for (const key of source.tensors.keys()) {
    for (let dot = key.lastIndexOf('.'); dot > 0; dot = key.lastIndexOf('.', dot - 1)) {
      const path = key.slice(0, dot);
      if (paths.has(path)) break;
      paths.add(path);
    }
  }
  return paths;
}
