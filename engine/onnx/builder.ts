/** Collects the nodes and constants of an ONNX model while a program is lowered. */
import { NoodleError } from '../errors.ts';
import type { Dtype } from '../tensor/dtype.ts';
import { elementwiseOps } from '../tensor/ops/elementwise.ts';
import { type Param, leafOps } from '../tensor/ops/leaves.ts';
import {
  type Dim,
  type Shape,
  type SymbolicDim,
  dimText,
  floorDivDim,
  sameDim,
} from '../tensor/shape.ts';
import type { SizeOrigin, SizeOrigins } from '../tensor/sizes.ts';
import { type Tensor, isOp } from '../tensor/tensor.ts';
import type { Program } from '../tensor/trace.ts';
import { dtypes } from '../weights/dtypes.ts';
import { floatToF16 } from '../weights/float.ts';
import { type Layout, layoutDtype, layoutShape } from '../weights/layout.ts';
import type { WeightEntry } from '../weights/source.ts';
import type { WinogradTile } from '../weights/winograd.ts';
import type { Attribute, Initializer, OnnxNode } from './model.ts';
import { widenInGraph } from './widen.ts';

/** Types that reals, which programs call f32, are computed in. */
export type Real = 'f32' | 'f16';

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly domain?: string;
  /** How many results the operator has, of which the last one is used; default 1. */
  readonly results?: number;
  /** Which of the others are left out, by number. */
  readonly omitted?: readonly number[];
}

export interface Builder {
  readonly nodes: OnnxNode[];
  readonly initializers: Initializer[];
  /** Path in the checkpoint that new nodes are named under. */
  scope: string;
  /** The type in which new nodes compute reals. */
  real: Real;
  /** What the node that is being lowered reads besides weights: these are widened after it was computed. */
  anchor: string | undefined;
  /** Adds a node, if there is none that does the same, and gives the name of its (last) output. */
  emit(op: string, inputs: readonly string[], options?: NodeOptions): string;
  /** A node of ONNX Runtime's own operators. */
  contrib(op: string, inputs: readonly string[], attributes?: NodeOptions['attributes']): string;
  /** A constant of the type that reals are computed in; what f16 cannot hold becomes its largest. */
  reals(values: ArrayLike<number>, shape: readonly number[]): string;
  /** An f32 constant, where an operator takes no other type. */
  floats(values: ArrayLike<number>, shape: readonly number[]): string;
  /** A constant vector of 64-bit integers. */
  ints(values: readonly number[], shape?: readonly number[]): string;
  /** A constant of any type from its bytes. */
  raw(dtype: Dtype, shape: readonly number[], data: Uint8Array): string;
  /** The tensors of the program that have this one among their inputs. */
  readonly readersOf: (tensor: Tensor) => readonly Tensor[];
  /** What the program gives, which is read whoever else does. */
  readonly outputs: ReadonlySet<Tensor>;
  /** The value as another element type. */
  cast(value: string, type: Dtype): string;
  /** Whether a tensor was lowered, or needs no lowering. */
  readonly knows: (tensor: Tensor) => boolean;
  /** Keeps the name under which a tensor was lowered; its reals are of the type `real`. */
  define(tensor: Tensor, name: string): void;
  /** The name of a tensor that was lowered, a constant or a weight, its reals as the type `real`. */
  readonly nameOf: (tensor: Tensor) => string;
  /** A weight in the layout that the model wants it in. */
  weight(param: Param, layout: Layout): string;
  /** How narrow weights reach the model. */
  readonly widen: WeightForms['widen'];
  /** Whether matrices stay where they are stored. */
  readonly keepStored: boolean;
  /** Whether memory is short. */
  readonly isShort: boolean;
  /** Whether matrices in codes of four bits are read as they are (nibbles.ts). */
  readonly packsNibbles: boolean;
  /** Channels per block of NCHWc convolutions; undefined where they cannot be used. */
  readonly block: number | undefined;
  /** Bits of weights in whole numbers. */
  readonly bits: number;
  /** The convolutions to compute by Winograd's method, each in tiles of a size. */
  readonly winograd: ReadonlyMap<Tensor, WinogradTile>;
  /** Names of pictures that were lowered with their channels last too (channels-last.ts). */
  readonly channelsLast: Map<Tensor, Map<Real, string>>;
  /** Names of features in blocks by the names of their plain forms (blocked-rows.ts). */
  readonly blocked: Map<string, string>;
  /** A size as a vector of one 64-bit integer. */
  size(dim: Dim): string;
  /** A shape as a vector of 64-bit integers. */
  sizes(shape: Shape): string;
}

/** How weights reach a model that computes in another type than they are stored in. */
export interface WeightForms {
  /** By Cast nodes in the graph, or before the model sees them (it then asks for them in that layout). */
  readonly widen: 'graph' | 'weights';
  /** Matrices stay where they are stored, mapped, though laid anew they would be faster. */
  readonly keepStored?: boolean;
  /** Memory is short: no weight is widened before the layer that reads it is computed, whatever that costs. */
  readonly isShort?: boolean;
  /** Linear layers read matrices in codes of four bits as they are, which ONNX Runtime packs (nibbles.ts). */
  readonly packsNibbles?: boolean;
  /** Channels per block of NCHWc convolutions on this machine; needs weights prepared for it. */
  readonly block?: number;
  /**
   * Bits that whole numbers of weights may have, where the table computes in them: this machine's products
   * must not overflow. Left out: 7, which never do.
   */
  readonly bits?: number;
  /** Convolutions to compute by Winograd's method, where the table has it, with their tiles; needs prepared weights. */
  readonly winograd?: ReadonlyMap<Tensor, WinogradTile>;
}

/** A builder for a program. */
export function createBuilder(
  program: Pick<Program, 'sizes' | 'nodes' | 'outputs'>,
  {
    widen,
    keepStored = false,
    isShort = false,
    packsNibbles = false,
    block,
    bits = 7,
    winograd = new Map(),
  }: WeightForms,
): Builder {
  const origins = program.sizes;
  const readers = readersOf(program.nodes);
  const nodes: OnnxNode[] = [];
  const initializers: Initializer[] = [];
  const taken = new Map<string, number>();
  const constants = new Map<string, string>();
  const emitted = new Map<string, string>();
  const sizes = new Map<string, string>();
  const weights = new Map<WeightEntry, Map<string, string>>();
  const names = new Map<Tensor, Map<Dtype, string>>();

  const unique = (base: string): string => {
    const count = (taken.get(base) ?? 0) + 1;
    taken.set(base, count);
    return count === 1 ? base : `${base}_${count}`;
  };
  const remember = (tensor: Tensor, name: string): string => {
    const forms = names.get(tensor) ?? new Map<Dtype, string>();
    names.set(tensor, forms.set(typeOf(tensor), name));
    return name;
  };
  const typeOf = ({ dtype }: Tensor): Dtype => (dtype === 'f32' ? builder.real : dtype);
  const weightAs = (param: Param, type: Dtype): string => {
    if (param.dtype === type && !param.attrs.entry.scales)
      return builder.weight(param, { kind: 'stored' });
    if (type !== 'f32' && type !== 'f16')
      throw new NoodleError('PROGRAM', { reason: `'${param.attrs.key}' is no ${type}` });
    return widen === 'weights'
      ? builder.weight(param, { kind: type === 'f16' ? 'float16' : 'float32' })
      : widenInGraph(builder, param, type);
  };
  /** A lowered tensor in the type that is asked for now. */
  const makeForm = (tensor: Tensor): string => {
    const param = storedWeight(tensor);
    if (param) return weightAs(param, typeOf(tensor));
    if (isOp(leafOps.constant, tensor))
      return builder.reals(tensor.attrs.values, tensor.attrs.shape);
    const [other] = names.get(tensor)!.values(); // every other tensor is lowered before its readers
    return builder.cast(other, typeOf(tensor));
  };
  /** Matrices and filters are widened for each reader anew: wide they would stay from the first to the last. */
  const isWidenedAnew = (tensor: Tensor): boolean =>
    widen === 'graph' && tensor.shape.length > 1 && storedWeight(tensor) !== undefined;
  /** What the nodes of this moment are shared within; the number of a reader, or 0 for the whole model. */
  let sharedIn = 0;
  let readings = 0;
  const readAnew = (tensor: Tensor): string => {
    sharedIn = ++readings;
    const name = makeForm(tensor);
    sharedIn = 0;
    return name;
  };
  const builder: Builder = {
    nodes,
    initializers,
    widen,
    keepStored,
    isShort,
    packsNibbles,
    block,
    bits,
    winograd,
    channelsLast: new Map(),
    blocked: new Map(),
    scope: '',
    real: 'f32',
    anchor: undefined,
    emit: (op, inputs, { attributes = {}, domain = '', results = 1, omitted = [] } = {}) => {
      const key = JSON.stringify([op, domain, inputs, attributes, results, omitted, sharedIn]);
      const known = emitted.get(key);
      if (known !== undefined) return known;
      const name = unique(builder.scope === '' ? op : `${builder.scope}/${op}`);
      emitted.set(key, name);
      const others = Array.from({ length: results - 1 }, (_, i) =>
        omitted.includes(i) ? '' : `${name}:${i}`,
      );
      nodes.push({ op, domain, name, inputs, outputs: [...others, name], attributes });
      return name;
    },
    contrib: (op, inputs, attributes) =>
      builder.emit(op, inputs, { attributes, domain: 'com.microsoft' }),
    reals: (values, shape) => {
      if (builder.real === 'f32') return builder.floats(values, shape);
      const held = Array.from(values, (v) => (Math.abs(v) < Infinity ? clampToHalf(v) : v));
      return builder.raw('f16', shape, new Uint8Array(floatToF16(held).buffer));
    },
    floats: (values, shape) => {
      const data = Float32Array.from(values);
      return builder.raw('f32', shape, new Uint8Array(data.buffer));
    },
    ints: (values, shape = [values.length]) => {
      const data = BigInt64Array.from(values, BigInt);
      return builder.raw('i64', shape, new Uint8Array(data.buffer));
    },
    raw: (dtype, shape, data) => {
      const key = `${dtype}[${shape.join()}]${Buffer.from(data).toString('base64')}`;
      let name = constants.get(key);
      if (name === undefined) {
        name = unique(`constant/${dtype}`);
        constants.set(key, name);
        initializers.push({ name, dtype, shape, data });
      }
      return name;
    },
    readersOf: (tensor) => readers.get(tensor) ?? [],
    outputs: new Set(Object.values(program.outputs)),
    cast: (value, type) =>
      builder.emit('Cast', [value], { attributes: { to: { int: dtypes[type].onnx } } }),
    // weights are widened by whoever reads them
    knows: (tensor) => names.has(tensor) || storedWeight(tensor) !== undefined,
    define: remember,
    nameOf: (tensor) => {
      const known = names.get(tensor)?.get(typeOf(tensor));
      if (known !== undefined) return known;
      return isWidenedAnew(tensor) ? readAnew(tensor) : remember(tensor, makeForm(tensor));
    },
    weight: (param, layout) => {
      const { key, entry, dtype } = param.attrs;
      const form = formName(layout);
      const known = weights.get(entry)?.get(form);
      if (known !== undefined) return known;
      const name = unique(`weights/${key}${form === 'stored' ? '' : `:${form}`}`);
      const stored = param.shape as readonly number[]; // stored tensors have fixed sizes
      const shape = layoutShape(layout, stored);
      initializers.push({ name, dtype: layoutDtype(layout, dtype), shape, stored, entry, layout });
      weights.set(entry, (weights.get(entry) ?? new Map<string, string>()).set(form, name));
      return name;
    },
    size: (dim) => {
      if (typeof dim === 'number') return builder.ints([dim]);
      let name = sizes.get(dim.text);
      if (name === undefined) {
        const { scope } = builder;
        builder.scope = 'sizes';
        name = computeSize(builder, dim, origins);
        builder.scope = scope;
        sizes.set(dim.text, name);
      }
      return name;
    },
    sizes: (shape) => {
      if (shape.every((dim) => typeof dim === 'number')) return builder.ints(shape);
      return builder.emit(
        'Concat',
        shape.map((dim) => builder.size(dim)),
        {
          attributes: { axis: { int: 0 } },
        },
      );
    },
  };
  return builder;
}

function readersOf(nodes: readonly Tensor[]): ReadonlyMap<Tensor, readonly Tensor[]> {
  const readers = new Map<Tensor, Tensor[]>();
  for (const tensor of nodes) {
    for (const input of tensor.inputs) {
      const known = readers.get(input);
      if (known) known.push(tensor);
      else readers.set(input, [tensor]);
    }
  }
  return readers;
}

/** The largest finite half. */
const largestHalf = 65504;
const clampToHalf = (v: number): number => Math.min(Math.max(v, -largestHalf), largestHalf);

/** An axis of an input, or a sum of products of such axes and quotients; vectors of one element. */
function computeSize(builder: Builder, dim: SymbolicDim, origins: SizeOrigins): string {
  const whole = origins.get(dim.text);
  if (whole) return axisSize(builder, whole);
  const terms = dim.terms.map(({ factor, atoms }) => {
    const parts = atoms.map((atom) => {
      const text = atom.kind === 'symbol' ? atom.name : dimText(floorDivDim(atom.value, atom.by));
      const origin = origins.get(text);
      if (origin) return axisSize(builder, origin);
      if (atom.kind === 'floordiv') {
        return builder.emit('Div', [builder.size(atom.value), builder.size(atom.by)]);
      }
      const reason = `the size '${dim.text}' does not follow from the sizes of the inputs`;
      throw new NoodleError('PROGRAM', { reason });
    });
    if (factor !== 1 || parts.length === 0) parts.push(builder.ints([factor]));
    return parts.reduce((product, part) => builder.emit('Mul', [product, part]));
  });
  return terms.reduce((sum, term) => builder.emit('Add', [sum, term]));
}

function axisSize(builder: Builder, { input, axis, factor, offset }: SizeOrigin): string {
  let size = builder.emit('Shape', [input.attrs.name], {
    attributes: { start: { int: axis }, end: { int: axis + 1 } },
  });
  if (offset !== 0) size = builder.emit('Sub', [size, builder.ints([offset])]);
  return factor === 1 ? size : builder.emit('Div', [size, builder.ints([factor])]);
}

/**
 * `x` under another shape. Sizes that stay in place are written 0 and one unknown -1, so that sizes
 * are computed at run time only when nothing else can say them.
 */
export function reshapeTo(builder: Builder, x: string, from: Shape, to: Shape): string {
  const spec = to.map((dim, i): Dim | 'keep' =>
    typeof dim !== 'number' && i < from.length && sameDim(dim, from[i]) ? 'keep' : dim,
  );
  const inferred = spec.findLastIndex((dim) => typeof dim === 'object');
  const shape = spec.map((dim, i) => (i === inferred ? -1 : dim === 'keep' ? 0 : dim));
  return builder.emit('Reshape', [x, builder.sizes(shape)]);
}

/** What a weight's form adds to its name. */
function formName(layout: Layout): string {
  if ('type' in layout) return `${layout.kind}:${layout.type}`;
  if ('codes' in layout) {
    const { kind, codes, halves } = layout;
    return [kind, ...(codes.startsWith('about') ? [codes] : []), ...(halves ? ['f16'] : [])].join(
      ':',
    );
  }
  return 'tile' in layout ? `${layout.kind}:${layout.tile}` : layout.kind;
}

/** The stored tensor behind a weight: the parameter itself, or what was widened to f32. */
export function storedWeight(tensor: Tensor): Param | undefined {
  if (isOp(leafOps.param, tensor)) return tensor;
  const [inner] = tensor.inputs;
  const widened = isOp(elementwiseOps.cast, tensor) && tensor.attrs.to === 'f32';
  return widened && isOp(leafOps.param, inner) ? inner : undefined;
}
