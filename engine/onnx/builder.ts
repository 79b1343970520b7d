/** Collects the nodes and constants of an ONNX model while a program is lowered. */
import type { Dtype } from '../tensor/dtype.ts';
import { type Dim, type Shape, type SymbolicDim, sameDim } from '../tensor/shape.ts';
import type { Node, Tensor } from '../tensor/tensor.ts';
import { type Program, type SymbolOrigin, symbolOrigins } from '../tensor/trace.ts';
import { type Layout, layoutDtype } from '../weights/layout.ts';
import type { WeightEntry } from '../weights/source.ts';
import type { Attribute, Initializer, OnnxNode } from './model.ts';

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly domain?: string;
}

export interface Builder {
  readonly nodes: OnnxNode[];
  readonly initializers: Initializer[];
  /** Path in the checkpoint that new nodes are named under. */
  scope: string;
  /** Adds a node and gives the name of its output. */
  emit(op: string, inputs: readonly string[], options?: NodeOptions): string;
  /** A node of ONNX Runtime's own operators. */
  contrib(op: string, inputs: readonly string[], attributes?: NodeOptions['attributes']): string;
  /** A float constant. */
  floats(values: ArrayLike<number>, shape: readonly number[]): string;
  /** A constant vector of 64-bit integers. */
  ints(values: readonly number[], shape?: readonly number[]): string;
  /** A constant of any type from its bytes. */
  raw(dtype: Dtype, shape: readonly number[], data: Uint8Array): string;
  /** The tensors of the program that have this one among their inputs. */
  readonly readersOf: (tensor: Tensor) => readonly Tensor[];
  /** The name of a tensor that was lowered, or of a weight. */
  readonly nameOf: (tensor: Tensor) => string;
  /** A weight in the layout that the model wants it in. */
  weight(param: Node<'param'>, layout: Layout): string;
  /** Channels per block of NCHWc convolutions; undefined where they cannot be used. */
  readonly block: number | undefined;
  /** A size as a vector of one 64-bit integer. */
  size(dim: Dim): string;
  /** A shape as a vector of 64-bit integers. */
  sizes(shape: Shape): string;
}

/** A builder for a program; `names` holds what was lowered so far. */
export function createBuilder(
  program: Pick<Program, 'inputs' | 'nodes'>,
  names: ReadonlyMap<Tensor, string>,
  block: number | undefined,
): Builder {
  const origins = symbolOrigins(program.inputs);
  const readers = readersOf(program.nodes);
  const nodes: OnnxNode[] = [];
  const initializers: Initializer[] = [];
  const taken = new Map<string, number>();
  const constants = new Map<string, string>();
  const sizes = new Map<string, string>();
  const weights = new Map<WeightEntry, Map<Layout['kind'], string>>();

  const unique = (base: string): string => {
    const count = (taken.get(base) ?? 0) + 1;
    taken.set(base, count);
    return count === 1 ? base : `${base}_${count}`;
  };
  const builder: Builder = {
    nodes,
    initializers,
    block,
    scope: '',
    emit: (op, inputs, { attributes = {}, domain = '' } = {}) => {
      const name = unique(builder.scope === '' ? op : `${builder.scope}/${op}`);
      nodes.push({ op, domain, name, inputs, outputs: [name], attributes });
      return name;
    },
    contrib: (op, inputs, attributes) =>
      builder.emit(op, inputs, { attributes, domain: 'com.microsoft' }),
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
    nameOf: (tensor) => names.get(tensor) ?? weightName(builder, tensor),
    weight: (param, layout) => {
      const { key, entry, dtype } = param.attrs;
      const known = weights.get(entry)?.get(layout.kind);
      if (known !== undefined) return known;
      const suffix = layout.kind === 'stored' ? '' : `:${layout.kind}`;
      const name = unique(`weights/${key}${suffix}`);
      const shape = param.shape as readonly number[]; // stored tensors have fixed sizes
      initializers.push({ name, dtype: layoutDtype(layout, dtype), shape, entry, layout });
      weights.set(
        entry,
        (weights.get(entry) ?? new Map<Layout['kind'], string>()).set(layout.kind, name),
      );
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

/** Sum of products of symbols and quotients, on vectors of one element. */
function computeSize(
  builder: Builder,
  dim: SymbolicDim,
  origins: ReadonlyMap<string, SymbolOrigin>,
): string {
  const terms = dim.terms.map(({ factor, atoms }) => {
    const parts = atoms.map((atom) =>
      atom.kind === 'symbol'
        ? symbolSize(builder, origins.get(atom.name)!)
        : builder.emit('Div', [builder.size(atom.value), builder.size(atom.by)]),
    );
    if (factor !== 1 || parts.length === 0) parts.push(builder.ints([factor]));
    return parts.reduce((product, part) => builder.emit('Mul', [product, part]));
  });
  return terms.reduce((sum, term) => builder.emit('Add', [sum, term]));
}

function symbolSize(builder: Builder, { input, axis, factor, offset }: SymbolOrigin): string {
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

/** The stored tensor behind a weight: the parameter itself, or what was widened to f32. */
export function storedWeight(tensor: Tensor): Node<'param'> | undefined {
  if (tensor.op === 'param') return tensor;
  const [inner] = tensor.inputs;
  return tensor.op === 'cast' && tensor.attrs.to === 'f32' && inner.op === 'param'
    ? inner
    : undefined;
}

/** A stored tensor as it is, or the f32 form of a narrow one. */
export function weightName(builder: Builder, tensor: Tensor): string {
  const param = storedWeight(tensor)!; // every other tensor is lowered before its readers
  return builder.weight(param, { kind: param === tensor ? 'stored' : 'float32' });
}
