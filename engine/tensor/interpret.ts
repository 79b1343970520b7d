/**
 * The slow, obvious evaluation of a program on the host: loops over indices, doubles for every value.
 * It is the second truth that tests compare the real backend with, and serves nothing else.
 */
import { NoodleError } from '../errors.ts';
import { readFloats } from '../weights/read.ts';
import type { HostTensor, Kernel } from './host.ts';
import { leafOps } from './ops/leaves.ts';
import { type Bindings, evalShape } from './shape.ts';
import { type Tensor, isOp } from './tensor.ts';
import { bindSizes } from './sizes.ts';
import type { Program } from './trace.ts';

/** What callers may pass: any numbers with a shape. */
export interface HostInput {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Runs the whole program; throws BAD_INPUT when an input is missing or has the wrong shape. */
export async function interpret(
  program: Program,
  inputs: Readonly<Record<string, HostInput>>,
): Promise<Record<string, HostTensor>> {
  const bindings = bindSizes(program, inputs);
  const values = new Map<Tensor, HostTensor>();
  for (const tensor of program.nodes) {
    const operands = tensor.inputs.map((input) => values.get(input)!);
    values.set(tensor, await evaluate(tensor, operands, inputs, bindings));
  }
  return Object.fromEntries(
    Object.entries(program.outputs).map(([name, tensor]) => [name, values.get(tensor)!]),
  );
}

async function evaluate(
  tensor: Tensor,
  operands: readonly HostTensor[],
  inputs: Readonly<Record<string, HostInput>>,
  bindings: Bindings,
): Promise<HostTensor> {
  const shape = evalShape(tensor.shape, bindings);
  if (isOp(leafOps.input, tensor)) {
    return { shape, data: Float64Array.from(inputs[tensor.attrs.name].data) };
  }
  if (isOp(leafOps.param, tensor)) {
    const { entry } = tensor.attrs;
    const stored = { ...entry, shape, transposed: false, interleaved: undefined };
    return { shape, data: Float64Array.from(await readFloats(stored)) };
  }
  const kernel = tensor.op.kernel as Kernel<unknown>;
  const result = kernel(operands, tensor.attrs, { shape, bindings });
  if (result.data.length !== shape.reduce((size, dim) => size * dim, 1)) {
    const reason = `${tensor.op.name} made ${result.data.length} values for [${shape.join(', ')}]`;
    throw new NoodleError('PROGRAM', { reason });
  }
  return result;
}
