/**
 * The WebGPU provider's lowering: its fused operators, and ways around what it computes wrongly. Speed is
 * argued from the provider's source (onnxruntime/core/providers/webgpu and contrib_ops/webgpu, 1.30).
 */
import { sameDims } from '../tensor/shape.ts';
import { type Builder, storedWeight } from './builder.ts';
import { gated, multiHeadAttention, rotaryEmbedding, rowInFull, sliceWith } from './fused.ts';
import { type Lower, type LoweringTable, linearBy, portable } from './portable.ts';
import { codesLinear } from './webgpu-codes.ts';

/** Powers by an exponent that is broadcast fail there, so it is written out first. */
const pow: Lower<'pow'> = (b, tensor, [base, exponent]) => {
  const { inputs, shape } = tensor;
  const isWhole = inputs[1].shape.length === 0 || sameDims(inputs[1].shape, shape);
  const whole = isWhole ? exponent : b.emit('Expand', [exponent, b.sizes(shape)]);
  return b.emit('Pow', [base, whole]);
};

/**
 * Channels in threes that are not in fours, but for three of them, give wrong numbers there
 * (microsoft/onnxruntime#29651): they get channels of zeros beside them.
 */
const conv: Lower<'conv'> = (b, tensor, [x, filter, ...bias]) => {
  const [input, weight] = tensor.inputs;
  const channels = weight.shape[1] as number; // stored tensors have fixed sizes
  const safe = channels % 3 !== 0 || channels % 4 === 0 || channels === 3;
  if (safe || tensor.attrs.groups !== 1) return portable.conv(b, tensor, [x, filter, ...bias]);
  const filled = [x, filter].map((name, i) => {
    const after = [input, weight][i].shape.map((_, axis) => (axis === 1 ? 4 - (channels % 4) : 0));
    return b.emit('Pad', [name, b.ints([...after.map(() => 0), ...after]), b.reals([0], [])]);
  });
  return portable.conv(b, tensor, [...filled, ...bias]);
};

/** 2 pi in two parts; the product of the first one and a whole number of few bits is exact in f32. */
const turn = [6.28125, 2 * Math.PI - 6.28125] as const;

/**
 * Sine and cosine are only good within a turn (WGSL, "Accuracy of Concrete Floating Point Expressions"),
 * and timesteps go to 1000: whole turns are taken off before (Cody & Waite 1980). In halves cards have them
 * within a hundredth.
 */
const withinTurn =
  (op: string) =>
  (b: Builder, _: unknown, [x]: readonly string[]): string => {
    const inTurns = b.emit('Mul', [x, b.reals([1 / (2 * Math.PI)], [])]);
    const turns = b.emit('Floor', [b.emit('Add', [inTurns, b.reals([0.5], [])])]); // there is no Round
    const rest = turn.reduce(
      (angle, part) => b.emit('Sub', [angle, b.emit('Mul', [turns, b.reals([part], [])])]),
      x,
    );
    return b.emit(op, [rest]);
  };

/** To the nearest whole number, halves to even ones: there is no Round, and the host would have to be waited for. */
const round = (b: Builder, _: unknown, [x]: readonly string[]): string => {
  const number = (value: number): string => b.reals([value], []);
  const below = b.emit('Floor', [x]);
  const rest = b.emit('Sub', [x, below]);
  const halved = b.emit('Floor', [b.emit('Mul', [below, number(0.5)])]);
  const isOdd = b.emit('Sub', [below, b.emit('Mul', [halved, number(2)])]);
  const isMore = b.cast(b.emit('Greater', [rest, number(0.5)]), b.real);
  const isBetween = b.emit('Equal', [rest, number(0.5)]);
  return b.emit('Add', [below, b.emit('Where', [isBetween, isOdd, isMore])]);
};

/**
 * The host runs ahead of the card: whatever a network computes is in memory at once, but for small values,
 * whose buffers are used again (buffer_manager.cc). So it waits: nothing, told from one number of the value,
 * is part of the sizes with which it goes on.
 */
const settle: Lower<'settle'> = (b, { inputs: [x] }, [name]) => {
  const each = (value: number): string => b.ints(x.shape.map(() => value));
  const axes = b.ints(x.shape.map((_, axis) => axis));
  const number = b.emit('Reshape', [b.emit('Slice', [name, each(0), each(1), axes]), b.ints([1])]);
  const nothing = b.emit('Mul', [b.cast(number, 'i64'), b.ints([0])]);
  return b.emit('Reshape', [name, b.emit('Add', [each(0), nothing])]); // 0: as it is
};

/** What is added to variances, everywhere in a process: what autoencoders add, whose values are the largest. */
const variance = 1e-6;

/**
 * A kernel that was compiled for one epsilon serves every other one (instance_norm.cc: it is no part of the
 * program's key), so there is only one; numbers are multiplied for the others.
 */
const groupNorm: Lower<'groupNorm'> = (b, tensor, [x, ...scales]) => {
  const { attrs } = tensor;
  const factor = Math.sqrt(variance / attrs.eps);
  const values = factor === 1 ? x : b.emit('Mul', [x, b.reals([factor], [])]);
  return portable.groupNorm(b, { ...tensor, attrs: { ...attrs, eps: variance } }, [
    values,
    ...scales,
  ]);
};

/**
 * Weights in codes stay in them; other stored ones are transposed before: the kernel is 2.6 times as fast on them
 * (an NVIDIA H100 in halves, 31 TFLOP/s in place of 12).
 */
const linear: Lower<'linear'> = (b, tensor, inputs) => {
  const [x, weight, ...bias] = inputs;
  const inCodes = codesLinear(b, tensor, inputs);
  if (inCodes !== undefined) return inCodes;
  const param = storedWeight(tensor.inputs[1]);
  if (!param) return portable.linear(b, tensor, [x, weight, ...bias]);
  const columns = b.weight(param, { kind: 'transposed', type: b.real });
  return linearBy(b, tensor, [x, columns, ...bias]);
};

/** The widest heads whose queries and sums stay in registers; wider ones are of small pictures. */
const widestHead = 128;

/**
 * Flash attention never writes the scores out; the provider has it where the heads of q, k and v are
 * alike and in fours (flash_attention.cc, CanApplyFlashAttention). Elsewhere its operator is slower than
 * plain products.
 */
const attention: Lower<'attention'> = (b, tensor, inputs) => {
  const [q, , v] = tensor.inputs;
  const { heads } = tensor.attrs;
  const [width, valueWidth] = [q, v].map(({ shape }) => (shape[2] as number) / heads); // see its shape rule
  const isFlash = width === valueWidth && width % 4 === 0 && width <= widestHead;
  return isFlash ? multiHeadAttention(b, tensor, inputs) : undefined;
};

/** Attention in steps; else as below. */
export const webgpuInSteps: LoweringTable = {
  ...portable,
  slice: sliceWith(linear),
  settle,
  linear,
  conv,
  groupNorm,
  pow,
  sin: (b, tensor) => rowInFull(b, tensor, withinTurn('Sin')),
  cos: (b, tensor) => rowInFull(b, tensor, withinTurn('Cos')),
  round: (b, tensor) => rowInFull(b, tensor, round),
  silu: gated(1),
  quickGelu: gated(1.702),
  rotaryEmbedding,
};

export const webgpu: LoweringTable = { ...webgpuInSteps, attention };
