/** An adapter file on a network: which of its entries fit, and the patch at a strength. */
import { createHash } from 'node:crypto';
import type { NDArray } from '../../array/nd.ts';
import { add, div, input, mul, padZero, reshape, slice, sqrt, sub, sum } from '../../tensor/nn.ts';
import type { Layer } from '../../tensor/patch.ts';
import { type Shape, shapeText } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { RowRange } from '../../weights/key-maps/transformer-modules.ts';
import type { WeightSource } from '../../weights/source.ts';
import type { Feeds, NetworkCall, NetworkPatch } from '../patch.ts';
import {
  type AdapterAct,
  type AdapterKind,
  type AdapterParts,
  type Fed,
  adapterKinds,
} from './kinds.ts';
import type { WeightNames } from './names.ts';
import type { AdapterEntry } from './read.ts';

/** What a file does to the parameters of one network. */
export interface FittedAdapters {
  /** Tells apart what needs another program: keys, kinds and shapes. */
  readonly shape: string;
  readonly acts: ReadonlyMap<string, AdapterAct>;
  /** Entries (by name) that name a parameter of the network but do not fit it. */
  readonly misfits: readonly string[];
  /** Names of the entries that were taken. */
  readonly taken: ReadonlySet<string>;
}

/** Fits a file's entries to a network whose parameters go by `names`. */
export function fitAdapters(
  entries: readonly AdapterEntry[],
  names: WeightNames,
  { tensors }: WeightSource,
): FittedAdapters {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const acts = new Map<string, AdapterAct>();
  const misfits: string[] = [];
  const taken = new Set<string>();
  const put = (name: string, key: string, act: AdapterAct | undefined): void => {
    if (act) acts.set(key, act);
    else misfits.push(name);
  };
  // in the order of the names, not of the file: of two that mean one weight the later counts
  for (const [name, place] of names) {
    const entry = byName.get(name);
    const key = typeof place === 'string' ? place : place.key;
    const stored = tensors.get(key);
    if (!entry || !stored) continue;
    taken.add(name);
    const { kind, parts } = entry;
    if (typeof place !== 'string') {
      const some = kind && !parts.dora ? onRows(kind, parts, stored.shape, place.rows) : undefined;
      put(name, key, some && together(acts.get(key), some));
      continue;
    }
    if (kind) put(name, key, decomposed(kind.act(parts, stored.shape), parts, stored.shape));
    const bias = key.replace(/\.weight$/, '.bias');
    if (parts.bias && bias !== key && tensors.has(bias)) {
      put(name, bias, difference.act({ diff: parts.bias }, tensors.get(bias)!.shape));
    }
  }
  const spelled = [...acts].map(([key, { arrays, beside }]) => [
    key,
    beside !== undefined,
    Object.entries(arrays).map(([part, { shape }]) => [part, ...shape]),
  ]);
  const shape = createHash('sha1').update(JSON.stringify(spelled)).digest('base64url');
  return { shape, acts, misfits, taken };
}

/** What an entry does to some rows of a weight of a shape; kinds that are no difference cannot. */
export function onRows(
  kind: AdapterKind,
  parts: AdapterParts,
  shape: readonly number[],
  range: RowRange,
): AdapterAct | undefined {
  const [all, ...rest] = shape;
  const [start, end] = range(shape);
  const act = kind.act(parts, [end - start, ...rest]);
  if (!act?.delta) return undefined;
  const { arrays, delta, beside } = act;
  const named = (part: string): string => `${start}:${part}`;
  const of =
    (fed: Fed): Fed =>
    (part) =>
      fed(named(part));
  const around = [start, all - end] as const;
  return {
    arrays: Object.fromEntries(Object.entries(arrays).map(([part, x]) => [named(part), x])),
    delta: (weight, fed) => {
      const sides = shape.map((_, axis) => (axis === 0 ? around : ([0, 0] as const)));
      return padZero(delta(slice(weight, 0, start, end), of(fed)), sides);
    },
    beside: beside && ((layer, fed) => padZero(beside(layer, of(fed)), [around])),
  };
}

/** Both on one weight, where the first leaves the second's rows alone. */
function together(first: AdapterAct | undefined, second: AdapterAct): AdapterAct {
  if (!first?.delta) return second;
  const { delta, beside } = first;
  return {
    arrays: { ...first.arrays, ...second.arrays },
    delta: (weight, fed) => add(delta(weight, fed), second.delta!(weight, fed)),
    beside:
      beside &&
      second.beside &&
      ((layer, fed) => add(beside(layer, fed), second.beside!(layer, fed))),
  };
}

const difference = adapterKinds.find(({ name }) => name === 'diff')!;

/** DoRA (Liu et al. 2024): the changed weight's columns or rows brought to lengths of their own. */
function decomposed(
  act: AdapterAct | undefined,
  { dora }: AdapterParts,
  shape: readonly number[],
): AdapterAct | undefined {
  if (!act?.delta || !dora) return act;
  const { arrays, delta } = act;
  const byOutput = dora.shape[0] === shape[0];
  const spread = shape.map((size, axis) => (axis === (byOutput ? 0 : 1) ? size : 1));
  const axes = shape.map((_, axis) => axis).filter((axis) => axis !== (byOutput ? 0 : 1));
  return {
    arrays: { ...arrays, dora },
    change: (weight, fed, s) => {
      const changed = add(weight, delta(weight, fed));
      const measured = byOutput ? weight : changed; // as ComfyUI measures them
      const length = add(sqrt(sum(mul(measured, measured), axes, { keep: true })), epsilon);
      const whole = mul(changed, div(reshape(fed('dora'), spread), length));
      return add(weight, mul(s, sub(whole, weight)));
    },
  };
}

/** The distance from 1 to the next fp32 number. */
const epsilon = 2 ** -23;

/**
 * The patch of a fitted file at a strength. Factors and strength are fed: another strength, or another
 * file of the same shape, needs no new session; it may be asked anew at every call. `name` must be unique among a network's patches.
 */
export function loraPatch(
  name: string,
  { shape, acts }: FittedAdapters,
  strength: number | ((call: NetworkCall) => number),
): NetworkPatch {
  const strengthAt = typeof strength === 'number' ? () => strength : strength;
  const inputs = new Map<string, Tensor>();
  const fed = (path: string, dims: Shape): Tensor => {
    const key = `${path} ${shapeText(dims)}`;
    let tensor = inputs.get(key);
    if (!tensor) inputs.set(key, (tensor = input(`${name}/${path}`, 'f32', dims)));
    return tensor;
  };
  const of =
    (key: string, { arrays }: AdapterAct): Fed =>
    (part) =>
      fed(`${key}/${part}`, arrays[part].shape);

  const arrays: Record<string, NDArray> = {};
  for (const [key, act] of acts) {
    for (const [part, array] of Object.entries(act.arrays))
      arrays[`${name}/${key}/${part}`] = array;
  }
  return {
    identity: `${name} ${shape}`,
    keys: new Set(acts.keys()),
    beside: (layer) => {
      const act = acts.get(layer.key);
      if (!act?.beside) return undefined;
      return mul(act.beside(layer, of(layer.key, act)), rowStrength(layer, fed));
    },
    change: (key, weight) => {
      const act = acts.get(key)!; // one of `keys`
      const scale = fed('scale', []);
      if (act.change) return act.change(weight, of(key, act), scale);
      return add(weight, mul(scale, act.delta!(weight, of(key, act))));
    },
    feeds: (call): Feeds => {
      const { rows } = call;
      const value = strengthAt(call);
      return {
        ...arrays,
        [`${name}/strength`]: { data: new Float32Array(rows).fill(value), shape: [rows] },
        [`${name}/scale`]: { data: Float32Array.of(value), shape: [] },
      };
    },
  };
}

/** The strength of every row of a layer's input, as a column that broadcasts over its output. */
function rowStrength({ x }: Layer, fed: (path: string, dims: Shape) => Tensor): Tensor {
  const [rows, ...rest] = x.shape;
  return reshape(fed('strength', [rows]), [rows, ...rest.map(() => 1)]);
}
