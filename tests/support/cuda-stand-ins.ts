/**
 * The CUDA table where there is no CUDA: its rows as they are, and each operator that only the CUDA provider
 * has written in standard ones, as its documentation defines it (docs/ContribOperators.md). What comes out
 * is what the lowering means, whatever the kernels do.
 */
import type { Builder, NodeOptions } from '../../engine/onnx/builder.ts';
import { cuda } from '../../engine/onnx/cuda.ts';
import type { LoweringTable } from '../../engine/onnx/portable.ts';

type StandIn = (b: Builder, inputs: readonly string[], options: NodeOptions) => readonly string[];

const transpose = (b: Builder, x: string, perm: readonly number[]): string =>
  b.emit('Transpose', [x], { attributes: { perm: { ints: perm } } });
const channelsFirst = [0, 3, 1, 2];
const channelsLast = [0, 2, 3, 1];

const intOf = ({ attributes }: NodeOptions, name: string): number =>
  (attributes![name] as { readonly int: number }).int;

/** Y = X normalised over groups of the last axis, times gamma, plus beta; then perhaps x * sigmoid(x). */
const groupNorm: StandIn = (b, [x, gamma, beta], options) => {
  const plain = transpose(b, x, channelsFirst);
  const groups = intOf(options, 'groups');
  const grouped = b.emit('Reshape', [plain, b.ints([0, groups, -1])]);
  const ones = b.floats(new Array<number>(groups).fill(1), [groups]);
  const zeros = b.floats(new Array<number>(groups).fill(0), [groups]);
  const normed = b.emit('InstanceNormalization', [grouped, ones, zeros], {
    attributes: { epsilon: options.attributes!.epsilon },
  });
  const shaped = b.emit('Reshape', [normed, b.emit('Shape', [plain])]);
  const last = transpose(b, shaped, channelsLast);
  const y = b.emit('Add', [b.emit('Mul', [last, gamma]), beta]);
  const silu = intOf(options, 'activation') === 1;
  return [silu ? b.emit('Mul', [y, b.emit('Sigmoid', [y])]) : y];
};

/** By the operator's name; each gives its results in order. */
const standIns: Readonly<Record<string, StandIn>> = {
  NhwcConv: (b, [x, filter, ...bias], { attributes }) => {
    const inputs = [transpose(b, x, channelsFirst), transpose(b, filter, channelsFirst), ...bias];
    return [transpose(b, b.emit('Conv', inputs, { attributes }), channelsLast)];
  },
  GroupNorm: groupNorm,
  SkipGroupNorm: (b, [x, gamma, beta, skip, bias], options) => {
    const sum = b.emit('Add', [x, skip]);
    const whole = bias === undefined ? sum : b.emit('Add', [sum, bias]);
    return [...groupNorm(b, [whole, gamma, beta], options), whole];
  },
  BiasSplitGelu: (b, [x, bias]) => {
    const sum = b.emit('Add', [x, bias]);
    const axes = { attributes: { axis: { int: -1 }, num_outputs: { int: 2 } }, results: 2 };
    const right = b.emit('Split', [sum], axes);
    return [b.emit('Mul', [`${right}:0`, b.emit('Gelu', [right])])];
  },
};

/** A builder that writes stand-ins where they are needed. */
function standingIn(builder: Builder): Builder {
  const emit: Builder['emit'] = (op, inputs, options = {}) => {
    const standIn = options.domain === 'com.microsoft' ? standIns[op] : undefined;
    if (!standIn) return builder.emit(op, inputs, options);
    const results = standIn(builder, inputs, options).slice(0, options.results ?? 1);
    const last = `${op}#${builder.nodes.length}`; // a name of its own, for it names the other results
    results.forEach((result, i) => {
      const output = i === results.length - 1 ? last : `${last}:${i}`;
      const identity = { op: 'Identity', domain: '', name: output, attributes: {} };
      builder.nodes.push({ ...identity, inputs: [result], outputs: [output] });
    });
    return last;
  };
  const contrib: Builder['contrib'] = (op, inputs, attributes) =>
    emit(op, inputs, { attributes, domain: 'com.microsoft' });
  return new Proxy(builder, {
    get: (target, key, receiver) =>
      key === 'emit'
        ? emit
        : key === 'contrib'
          ? contrib
          : (Reflect.get(target, key, receiver) as unknown),
    set: (target, key, value) => Reflect.set(target, key, value),
  });
}

type AnyRow = (builder: Builder, tensor: never, inputs: readonly string[]) => string | undefined;

/** The CUDA table in operators that the CPU provider has too. */
export const cudaStandIn = Object.fromEntries(
  Object.entries(cuda).map(([op, row]) => {
    const lowered: AnyRow = (b, tensor, inputs) => (row as AnyRow)(standingIn(b), tensor, inputs);
    return [op, lowered];
  }),
) as unknown as LoweringTable;
