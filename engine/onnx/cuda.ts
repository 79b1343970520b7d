/**
 * The CUDA provider's lowering: ONNX Runtime's fused operators, on pictures with their channels last. Not
 * yet run on hardware; held by the operators' schemas and by the constraints of their kernels, which are
 * named at each row (onnxruntime/contrib_ops/cuda; versions 1.29 and 1.30).
 */
import { elementwiseOps } from '../tensor/ops/elementwise.ts';
import { activationOps } from '../tensor/ops/activations.ts';
import { movementOps } from '../tensor/ops/movement.ts';
import { normOps } from '../tensor/ops/norms.ts';
import { productOps } from '../tensor/ops/products.ts';
import { windowOps } from '../tensor/ops/windows.ts';
import { type Dim, sameDim, sameDims } from '../tensor/shape.ts';
import { type Tensor, isOp } from '../tensor/tensor.ts';
import { type Builder, storedWeight } from './builder.ts';
import { followers, following, fromLast, isPicture, lastOf } from './channels-last.ts';
import { gated, multiHeadAttention, rowInFull } from './fused.ts';
import {
  type Lower,
  type LoweringTable,
  type NodeOf,
  convAttributes,
  portable,
} from './portable.ts';

/** The name of a tensor in full precision, whatever is computed in now. */
function inFull(b: Builder, x: Tensor): string {
  const { real } = b;
  b.real = 'f32';
  const name = b.nameOf(x);
  b.real = real;
  return name;
}

/**
 * The provider takes filters that are stored, with their channels last, and pads alike on both sides.
 * Depthwise convolutions stay plain: cuDNN's fast kernels for them are.
 */
function lastConv(b: Builder, tensor: NodeOf<'conv'>, bias: readonly string[]): string | undefined {
  const [x, weight] = tensor.inputs;
  const { groups, pads } = tensor.attrs;
  const param = storedWeight(weight);
  const isEven = pads.length === 4 && pads[0] === pads[2] && pads[1] === pads[3];
  if (!isPicture(x) || !param || param.attrs.entry.transposed || groups !== 1 || !isEven)
    return undefined;
  const filter = b.weight(param, { kind: 'channelsLast', type: b.real });
  const kernel = weight.shape.slice(2) as readonly number[]; // weights have fixed sizes
  return b.contrib('NhwcConv', [lastOf(b, x), filter, ...bias], {
    kernel_shape: { ints: kernel },
    ...convAttributes(tensor.attrs),
  });
}

const conv: Lower<'conv'> = (b, tensor, inputs) => {
  const last = lastConv(b, tensor, inputs.slice(2));
  return last === undefined ? portable.conv(b, tensor, inputs) : fromLast(b, tensor, last);
};

const isReadOnce = (b: Builder, x: Tensor): boolean =>
  b.readersOf(x).length === 1 && !b.outputs.has(x);

/** A sum that a norm reads before anybody else, in the parts that its kernel adds itself. */
interface Sum {
  readonly whole: Tensor;
  readonly parts: readonly [string, string];
  /** What a convolution or linear layer adds to the first part, where it is left to the kernel. */
  readonly bias: string;
  /** Whether others read the sum after the norm. */
  readonly kept: boolean;
}

/** `form` names a part, and a layer without its bias where it has one; undefined where it cannot. */
function sumBefore(
  b: Builder,
  norm: Tensor,
  fits: (part: Tensor, whole: Tensor) => boolean,
  form: (part: Tensor) => string,
  bare: (layer: Tensor) => string | undefined,
): Sum | undefined {
  const [whole] = norm.inputs;
  const readers = b.readersOf(whole);
  if (!isOp(elementwiseOps.add, whole) || readers[0] !== norm) return undefined;
  const full = whole.inputs.filter((part) => sameDims(part.shape, whole.shape));
  const [layer] = full.filter((part) => part.inputs.length === 3 && isReadOnce(b, part));
  const bareLayer = layer && bare(layer);
  const first = bareLayer === undefined ? full[0] : layer;
  const second = whole.inputs.find((part) => part !== first);
  if (!first || !second || !fits(second, whole)) return undefined;
  return {
    whole,
    parts: [bareLayer ?? form(first), form(second)],
    bias: bareLayer === undefined ? '' : b.nameOf(layer.inputs[2]),
    kept: !isReadOnce(b, whole),
  };
}

/** Pictures of the same size, or one number for each channel. */
const fitsPicture = ({ shape }: Tensor, whole: Tensor): boolean =>
  sameDims(shape, whole.shape) ||
  (shape.length === 4 && sameDims(shape, [whole.shape[0], whole.shape[1], 1, 1]));

/** At most this many channels of a group, in pairs; and this many groups. */
const mostPerGroup = 256;
const mostGroups = 32;

/** The norm with `silu` behind it or not, channels last; its scale and shift are f32 in any case. */
function lastNorm(b: Builder, tensor: NodeOf<'groupNorm'>, silu: boolean): string | undefined {
  const {
    inputs: [x, weight, shift],
    attrs: { groups, eps },
  } = tensor;
  const perGroup = (x.shape[1] as number) / groups; // the shape rule asks for a number
  const fits = perGroup % 2 === 0 && perGroup <= mostPerGroup && groups <= mostGroups;
  if (!isPicture(x) || !weight || !fits) return undefined;
  const scales = [inFull(b, weight), inFull(b, shift)];
  const attributes = {
    groups: { int: groups },
    epsilon: { float: eps },
    activation: { int: silu ? 1 : 0 },
    channels_last: { int: 1 },
  };
  const bare = (layer: Tensor): string | undefined =>
    isOp(windowOps.conv, layer) ? lastConv(b, layer, []) : undefined;
  const sum = sumBefore(b, tensor, fitsPicture, (part) => lastOf(b, part), bare);
  if (!sum) return b.contrib('GroupNorm', [lastOf(b, x), ...scales], attributes);
  const [first, second] = sum.parts;
  const inputs = [first, ...scales, second, ...(sum.bias === '' ? [] : [sum.bias])];
  const results = sum.kept ? 2 : 1;
  const name = b.emit('SkipGroupNorm', inputs, { attributes, domain: 'com.microsoft', results });
  if (!sum.kept) return name;
  b.define(sum.whole, fromLast(b, sum.whole, name));
  return `${name}:0`;
}

const groupNorm: Lower<'groupNorm'> = (b, tensor) => {
  const last = lastNorm(b, tensor, false);
  if (last === undefined) return rowInFull(b, tensor, portable.groupNorm);
  return fromLast(b, tensor, last);
};

const plainSilu = following<'silu'>(gated(1));

const silu: Lower<'silu'> = (b, tensor, inputs) => {
  const [x] = tensor.inputs;
  const alone = isOp(normOps.groupNorm, x) && isReadOnce(b, x);
  const last = alone ? lastNorm(b, x, true) : undefined;
  return last === undefined ? plainSilu(b, tensor, inputs) : fromLast(b, tensor, last);
};

/** A linear layer without its bias. */
const bareLinear = (b: Builder, layer: Tensor): string | undefined =>
  isOp(productOps.linear, layer)
    ? portable.linear(
        b,
        { ...layer, inputs: layer.inputs.slice(0, 2) },
        layer.inputs.slice(0, 2).map(b.nameOf),
      )
    : undefined;

const layerNorm: Lower<'layerNorm'> = (b, tensor, inputs) => {
  const [x, weight, shift] = tensor.inputs;
  const fits = ({ shape }: Tensor, whole: Tensor): boolean => sameDims(shape, whole.shape);
  const sum =
    x.shape.length === 3 && weight
      ? sumBefore(b, tensor, fits, b.nameOf, (layer) => bareLinear(b, layer))
      : undefined;
  if (!sum) return portable.layerNorm(b, tensor, inputs);
  const scales = [b.nameOf(weight), shift ? b.nameOf(shift) : '', sum.bias];
  const name = b.emit('SkipLayerNormalization', [...sum.parts, ...scales], {
    domain: 'com.microsoft',
    attributes: { epsilon: { float: tensor.attrs.eps } },
    results: sum.kept ? 4 : 1,
    omitted: [1, 2],
  });
  if (!sum.kept) return name;
  b.define(sum.whole, name);
  return `${name}:0`;
};

/** Widths of a gated layer before it is halved, which its kernel is compiled for. */
const gatedWidths: ReadonlySet<Dim> = new Set<Dim>([2560, 5120, 10240]);

/** value * gelu(gate) of the two halves of one linear layer with a bias: the layer, or undefined. */
function gatedLayer({ inputs: [value, gate] }: NodeOf<'mul'>): Tensor | undefined {
  if (!isOp(movementOps.slice, value) || !isOp(activationOps.gelu, gate)) return undefined;
  const [gated] = gate.inputs;
  const [layer] = value.inputs;
  const width = layer.shape.at(-1)!;
  if (!isOp(movementOps.slice, gated) || gated.inputs[0] !== layer || !gatedWidths.has(width))
    return undefined;
  const isHalf = ({ attrs }: NodeOf<'slice'>, start: number, end: number): boolean =>
    attrs.axis === 2 && attrs.step === 1 && attrs.start === start && sameDim(attrs.end, end);
  const half = (width as number) / 2;
  const isWhole = isHalf(value, 0, half) && isHalf(gated, half, width as number);
  return isWhole && layer.shape.length === 3 && layer.inputs.length === 3 ? layer : undefined;
}

const mul: Lower<'mul'> = (b, tensor, inputs) => {
  const layer = gatedLayer(tensor);
  const product = layer && bareLinear(b, layer);
  return product === undefined
    ? followers.mul(b, tensor, inputs)
    : b.contrib('BiasSplitGelu', [product, b.nameOf(layer!.inputs[2])]);
};

/** The kernels that never write the scores out whole take heads of whole eighths. */
const attention: Lower<'attention'> = (b, tensor, inputs) => {
  const [q, , v] = tensor.inputs;
  const { heads, kvHeads } = tensor.attrs;
  const widths = [(q.shape[2] as number) / heads, (v.shape[2] as number) / kvHeads];
  return widths.every((width) => width % 8 === 0)
    ? multiHeadAttention(b, tensor, inputs)
    : undefined;
};

export const cuda: LoweringTable = {
  ...portable,
  ...followers,
  conv,
  groupNorm,
  silu,
  quickGelu: following<'quickGelu'>(gated(1.702)),
  layerNorm,
  mul,
  attention,
};
