/**
 * The weights cursor: walks a checkpoint by its own key names. `param` is the one place where stored
 * numbers enter a program, `layer` where they meet activations, and `site` names a part of the network:
 * widening, dequantisation, patches and accounting act here and architectures know of none.
 */
import { NoodleError } from '../errors.ts';
import { storageOf } from '../weights/dtypes.ts';
import type { WeightEntry, WeightSource } from '../weights/source.ts';
import { isNarrowFloat } from './dtype.ts';
import { add, cast, concat, mul, permute, reshape } from './nn.ts';
import { leafOps } from './ops/leaves.ts';
import type { Layer, Patch, Site, SiteFacts, SiteInputs } from './patch.ts';
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
   * The layer with the weight (and bias, where there is one) here, on x: `run` on the parameters, which
   * stay as they are stored where patches can act on the layer's output instead.
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
  /** A parameter with some of the patches in it. */
  const changed = (key: string, some: readonly Patch[], scope: string): Tensor => {
    const mine = some.filter(({ keys }) => keys?.has(key));
    // A layer always leaves out the same ones, so that their number tells which are in it.
    const place = `${mine.length} ${key}`;
    let value = known.get(place);
    if (!value) {
      value = widened(key, find(key), scope);
      for (const patch of mine) value = patch.change?.(key, value) ?? value;
      known.set(place, value);
      used.add(key);
    }
    return value;
  };
  /** A layer whose weight lies in parts: every part's features, one behind the other. */
  const inParts = (
    key: string,
    bias: string | undefined,
    scope: string,
    run: (weight: Tensor, bias?: Tensor) => Tensor,
  ): Tensor | undefined => {
    const weights = partsOf(find(key));
    const biases = bias === undefined ? undefined : partsOf(find(bias));
    const isEven = bias === undefined || weights?.length === biases?.length;
    if (!weights || weights[0].shape.length !== 2 || !isEven) return undefined;
    for (const name of [key, bias]) if (name !== undefined) used.add(name);
    const features = weights.map((weight, i) =>
      run(
        widened(`${key}.${i}`, weight, scope),
        biases && widened(`${bias}.${i}`, biases[i], scope),
      ),
    );
    return concat(features, -1);
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
      param: (name) => changed(full(name), patches, scope),
      layer: (x, run) => {
        const key = full('weight');
        const bias = has('bias') ? full('bias') : undefined;
        const layer = { key, x, shape: find(key).shape, run: (weight: Tensor) => run(weight) };
        const { before, onBias, acts } = splitAtLayer(patches, layer, bias);
        const isPlain = before.length === 0 && !onBias.some(({ keys }) => keys?.has(bias ?? ''));
        const y =
          (isPlain ? inParts(key, bias, scope, run) : undefined) ??
          run(
            changed(key, before, scope),
            bias === undefined ? undefined : changed(bias, onBias, scope),
          );
        return acts.reduce((sum, act) => act(sum), y);
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

/**
 * Which patches act on the output of a layer, and which before it on its parameters. Patches apply in order:
 * the output is for the last ones that can act there.
 */
function splitAtLayer(patches: readonly Patch[], layer: Layer, bias: string | undefined) {
  const { key } = layer;
  const touches = ({ keys }: Patch): boolean =>
    keys !== undefined && (keys.has(key) || (bias !== undefined && keys.has(bias)));
  const mine = patches.filter(touches);
  const firstScale = mine.findIndex((patch) => patch.scale?.(key));
  const acts: ((y: Tensor) => Tensor)[] = [];
  let count = mine.length;
  for (; count > 0; count--) {
    const patch = mine[count - 1];
    // A bias that changes later must not be scaled with the output.
    const isLate = firstScale >= 0 && firstScale < count - 1;
    if (isLate && bias !== undefined && patch.keys!.has(bias) && !patch.scale?.(key)) break;
    if (!patch.keys!.has(key)) continue;
    const factor = patch.scale?.(key);
    const beside = factor ? undefined : patch.beside?.(layer);
    if (factor) acts.unshift((y) => mul(y, factor));
    else if (beside) acts.unshift((y) => add(y, beside));
    else break;
  }
  const before = mine.slice(0, count);
  const onBias = mine.filter((patch, i) => i < count || !patch.scale?.(key));
  return { before, onBias, acts };
}

/** The stored tensor as a program reads it: floats as f32, in the order that the view says. */
export function widened(key: string, entry: WeightEntry, scope: string): Tensor {
  const parts = partsOf(entry);
  if (parts) {
    return concat(
      parts.map((part, i) => widened(`${key}.${i}`, part, scope)),
      0,
    );
  }
  const { dtype } = storageOf(entry);
  const { shape, interleaved, scales, transposed } = entry;
  let value: Tensor = node(leafOps.param, [], { key, entry, dtype }, scope);
  if (isNarrowFloat(dtype) || dtype === 'f64' || scales) value = cast(value, 'f32');
  if (interleaved !== undefined) {
    const [rows, ...rest] = shape;
    const inTurn = reshape(value, [interleaved, rows / interleaved / 2, 2, ...rest]);
    const order = [0, 2, 1, ...rest.map((_, i) => i + 3)];
    value = reshape(permute(inTurn, order), shape);
  }
  return transposed ? permute(value, [1, 0]) : value;
}

/** The entries whose rows an entry has one below the other; undefined for one that lies in one place. */
const partsOf = ({ bytes }: WeightEntry): readonly WeightEntry[] | undefined =>
  bytes.kind === 'parts' ? bytes.parts : undefined;

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
