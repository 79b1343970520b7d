/**
 * The weights cursor: walks a checkpoint by its own key names. `param` is the one place where stored
 * numbers enter a program, so widening, dequantisation, LoRA and accounting hook in here.
 */
import { NoodleError } from '../errors.ts';
import type { StorageDtype, WeightEntry, WeightSource } from '../weights/source.ts';
import { type Dtype, isNarrowFloat } from './dtype.ts';
import { cast, permute } from './nn.ts';
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
  /** Full path of the cursor; empty at the root. */
  readonly scope: string;
  /** The accounting that all cursors of one source share. */
  readonly ledger: Ledger;
}

/** Changes a parameter on its way into the program; hooks run in order, each on the last one's result. */
export type ParamHook = (key: string, value: Tensor, weights: Weights) => Tensor;

/** Which keys a program has asked for. */
export interface Ledger {
  readonly source: WeightSource;
  readonly used: ReadonlySet<string>;
}

const programDtype: Record<StorageDtype, Dtype> = {
  F64: 'f64',
  F32: 'f32',
  F16: 'f16',
  BF16: 'bf16',
  F8_E4M3: 'f8e4m3',
  F8_E5M2: 'f8e5m2',
  I64: 'i64',
  I32: 'i32',
  I16: 'i16',
  I8: 'i8',
  U64: 'u64',
  U32: 'u32',
  U16: 'u16',
  U8: 'u8',
  BOOL: 'bool',
};

/** A cursor at the root of a source; `hooks` see every parameter after it was widened to f32. */
export function openWeights(
  source: WeightSource,
  { hooks = [] }: { hooks?: readonly ParamHook[] } = {},
): Weights {
  const used = new Set<string>();
  const ledger: Ledger = { source, used };
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
          for (const hook of hooks) value = hook(key, value, self);
          known.set(key, value);
          used.add(key);
        }
        return value;
      },
    };
    return self;
  };
  return cursor('');
}

/** The stored tensor as a program reads it: floats as f32, axes swapped where the view says so. */
function widened(key: string, entry: WeightEntry, scope: string): Tensor {
  const dtype = programDtype[entry.dtype];
  let value = node('param', [], { key, entry, dtype }, scope);
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
