/** Weights that are widened inside the graph, each whenever an operator reads it. */
import { type Param, leafOps } from '../tensor/ops/leaves.ts';
import { node } from '../tensor/tensor.ts';
import { type Dtype, dtypes, storageOf } from '../weights/dtypes.ts';
import { type CodesLayout, type Layout, layoutShape, layoutSize } from '../weights/layout.ts';
import { type Scales, isOne, reshapedEntry } from '../weights/source.ts';
import type { Attribute } from './model.ts';

/** What it takes of a builder. */
export interface Emitter {
  emit(
    op: string,
    inputs: readonly string[],
    options: { readonly attributes?: Readonly<Record<string, Attribute>> },
  ): string;
  cast(value: string, type: Dtype): string;
  ints(values: readonly number[]): string;
  floats(values: ArrayLike<number>, shape: readonly number[]): string;
  weight(param: Param, layout: Layout): string;
  /** What is computed before a weight is widened. */
  readonly anchor: string | undefined;
  readonly keepStored: boolean;
  readonly isShort: boolean;
}

type Real = 'f32' | 'f16';

/**
 * A stored weight as reals, from what is as small as it is stored: by a cast, by DequantizeLinear where it has
 * scales or lies in blocks. What neither can do (rotated or tiled scales) is widened before.
 */
export function widenInGraph(b: Emitter, param: Param, type: Real): string {
  const codes = codesLayout(param);
  if (codes) return fromCodes(b, param, codes, type);
  const { entry, key } = param.attrs;
  if (isVector(param)) return b.weight(param, wide(type));
  if (isCast(param) && isEight(param)) {
    const one = anchored(b, b.floats([1], []));
    return asType(b, b.emit('DequantizeLinear', [b.weight(param, stored), one], {}), type);
  }
  if (isCast(param)) return b.cast(anchoredWeight(b, param, stored), type);
  const scales = pairScales(param);
  if (scales) return fromPairs(b, param, scales, type);
  if (!isScaledInGraph(param)) return b.weight(param, wide(type));
  const { by } = entry.scales!;
  const shape = isOne(by) ? [] : [entry.shape[0]];
  const attrs = { key: `${key}:scale`, entry: reshapedEntry(by, shape), dtype: 'f32' } as const;
  const scale = b.weight(node(leafOps.param, [], attrs, param.scope), { kind: 'stored' });
  const operands = [b.weight(param, stored), anchored(b, scale)];
  const values = b.emit('DequantizeLinear', operands, { attributes: { axis: { int: 0 } } });
  return asType(b, values, type);
}

const stored: Layout = { kind: 'stored' };

const asType = (b: Emitter, values: string, type: Real): string =>
  type === 'f32' ? values : b.cast(values, type);

/** Where memory is short. */
const isAnchored = (b: Emitter): boolean => b.keepStored && b.anchor !== undefined;

/**
 * Scales that are there only once the anchor is. ONNX Runtime would otherwise widen all weights of a model
 * before anything else, for they depend on nothing, and hold them together (measured: four times an 8-bit
 * file); so there is one layer's at a time.
 */
function anchored(b: Emitter, scales: string): string {
  if (!isAnchored(b)) return scales;
  return b.emit('Add', [scales, b.emit('ConstantOfShape', [noSizes(b)], {})], {});
}

/**
 * The same for what is only cast: numbers whose shape is there once the anchor is. It costs a pass over them, so
 * only where memory is short.
 */
export function anchoredWeight(
  b: Emitter,
  param: Param,
  layout: Layout,
  isNeeded = b.isShort,
): string {
  const weight = b.weight(param, layout);
  if (!isAnchored(b) || !isNeeded) return weight;
  const sizes = [b.ints(layoutShape(layout, param.shape as readonly number[])), noSizes(b)]; // stored tensors have fixed sizes
  const shape = b.emit('Concat', sizes, { attributes: { axis: { int: 0 } } });
  return b.emit('Reshape', [weight, shape], {});
}

/** No sizes, once the anchor is there. */
const noSizes = (b: Emitter): string =>
  b.emit('Shape', [b.anchor!], { attributes: { start: { int: 0 }, end: { int: 0 } } });

/** Bytes that a weight takes in a model that widens it itself. */
export function narrowBytes(param: Param, type: Real): number {
  const { entry, dtype } = param.attrs;
  const shape = param.shape as readonly number[]; // stored tensors have fixed sizes
  const codes = codesLayout(param);
  if (codes) return layoutSize(codes, dtype, shape);
  const inPairs = pairScales(param);
  if (inPairs) return entry.byteLength + 4 * inPairs.by.shape.reduce((n, size) => n * size, 1);
  const stays = !isVector(param) && (isCast(param) || isScaledInGraph(param));
  return stays ? entry.byteLength : layoutSize(wide(type), dtype, shape);
}

const wide = (type: Real): Layout => ({ kind: type === 'f16' ? 'float16' : 'float32' });

/** What takes next to nothing is widened before: a model has hundreds (biases, norms), and each cast is an operator. */
const isVector = ({ shape }: Param): boolean => shape.length < 2;

const isEight = ({ dtype }: Param): boolean => dtype === 'f8e4m3' || dtype === 'f8e5m2';

/** Whether a weight's numbers are what is stored, in a type that ONNX knows. */
const isCast = ({ dtype, attrs: { entry } }: Param): boolean =>
  !entry.scales && dtypes[dtype].onnx !== 0;

/** What DequantizeLinear has scales for: of a whole tensor, or of its rows. */
export function isScaledInGraph({ attrs: { entry }, dtype }: Param): boolean {
  const { by, over, all, rotated } = entry.scales ?? {};
  const isPlain = by?.dtype === 'F32' && over === undefined && !all && rotated === undefined;
  return isPlain && (dtype === 'f8e4m3' || dtype === 'f8e5m2' || dtype === 'i8');
}

/** The scales of a weight whose bytes are looked up, two numbers each: one for each block of a row. */
function pairScales({ dtype, shape, attrs: { entry } }: Param): Scales | undefined {
  const { scales, transposed, interleaved } = entry;
  if (!scales || !dtypes[dtype].pairs || shape.length !== 2) return undefined;
  const { by, over = 0, tiled, all, plus, rotated } = scales;
  const others = [tiled, all, plus, rotated, transposed, interleaved];
  const [rows, width] = shape;
  const isByRow = by.shape.length === 2 && by.shape[0] === rows && by.shape[1] * over === width;
  return isByRow && others.every((other) => other === undefined) ? scales : undefined;
}

/** What the bytes stand for, times the scales of their blocks. */
function fromPairs(b: Emitter, param: Param, { by }: Scales, type: Real): string {
  const { entry, key } = param.attrs;
  const [rows, width] = param.shape as readonly number[];
  const blocks = by.shape[1];
  const bytes = { ...entry, dtype: 'U8', shape: [rows, width / 2], scales: undefined };
  const stored8 = node(leafOps.param, [], { key, entry: bytes, dtype: 'u8' }, param.scope);
  const table = b.floats(dtypes[param.dtype].pairs!, [256, 2]);
  const indices = b.cast(anchoredWeight(b, stored8, stored, true), 'i32');
  const values = b.emit('Gather', [table, indices], {});
  const scale = {
    key: `${key}:scale`,
    entry: reshapedEntry(by, [rows, blocks, 1]),
    dtype: storageOf(by).dtype,
  };
  const scales = b.weight(
    node(leafOps.param, [], scale, param.scope),
    by.dtype === 'F32' ? stored : wide('f32'),
  );
  const inBlocks = b.emit('Reshape', [values, b.ints([rows, blocks, width / blocks])], {});
  const product = b.emit('Mul', [inBlocks, scales], {});
  return asType(b, b.emit('Reshape', [product, b.ints([rows, width])], {}), type);
}

/** The layout of a weight in ggml's blocks whose rows are whole groups. */
export function codesLayout({ dtype, shape, attrs: { entry } }: Param): CodesLayout | undefined {
  const { blocks } = dtypes[dtype];
  if (!blocks || entry.scales || shape.length < 2) return undefined;
  const { group, codes } = blocks;
  const [, ...inner] = shape as readonly number[];
  const width = inner.reduce((n, size) => n * size, 1);
  return width % group === 0 ? { kind: 'codes', group, codes } : undefined;
}

/** step * code - off, group by group. */
function fromCodes(b: Emitter, param: Param, layout: CodesLayout, type: Real): string {
  const { group } = layout;
  const [rows, ...inner] = param.shape as readonly number[];
  const width = inner.reduce((n, size) => n * size, 1);
  const part = (kind: CodesLayout['kind']): string => b.weight(param, { ...layout, kind });
  const values = b.emit('DequantizeLinear', [part('codes'), anchored(b, part('codeSteps'))], {
    attributes: { axis: { int: 1 }, block_size: { int: group } },
  });
  const reshaped = (x: string, shape: readonly number[]): string =>
    b.emit('Reshape', [x, b.ints(shape)], {});
  const off = (): string => {
    const offs = reshaped(part('codeOffs'), [rows, width / group, 1]);
    return b.emit('Sub', [reshaped(values, [rows, width / group, group]), offs], {});
  };
  const { hasOffs } = dtypes[param.dtype].blocks!;
  const whole = hasOffs ? off() : values;
  const shaped = hasOffs || inner.length !== 1 ? reshaped(whole, [rows, ...inner]) : whole;
  return asType(b, shaped, type);
}
