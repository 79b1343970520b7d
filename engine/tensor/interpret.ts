/**
 * The slow, obvious evaluation of a program on the host: loops over indices, doubles for every value.
 * It is the second truth that tests compare the real backend with, and serves nothing else.
 */
import { NoodleError } from '../errors.ts';
import { readFloats } from '../weights/read.ts';
import { kernels } from './kernels.ts';
import { type Bindings, evalShape } from './shape.ts';
import type { Tensor } from './tensor.ts';
import { type Program, symbolOrigins } from './trace.ts';

/** A concrete tensor of any element type, its numbers as doubles. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

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
  const bindings = bindSymbols(program, inputs);
  const values = new Map<Tensor, HostTensor>();
  for (const tensor of program.nodes) {
    const operands = tensor.inputs.map((input) => values.get(input)!);
    values.set(tensor, await evaluate(tensor, operands, inputs, bindings));
  }
  return Object.fromEntries(
    Object.entries(program.outputs).map(([name, tensor]) => [name, values.get(tensor)!]),
  );
}

/** Values of the program's symbols for these inputs. */
export function bindSymbols(
  program: Pick<Program, 'inputs'>,
  inputs: Readonly<Record<string, { readonly shape: readonly number[] }>>,
): Bindings {
  const bindings: Record<string, number> = {};
  for (const [name, { input, axis, factor, offset }] of symbolOrigins(program.inputs)) {
    bindings[name] = (shapeOf(input.attrs.name, inputs)[axis] - offset) / factor;
  }
  for (const { attrs, shape } of program.inputs) {
    const got = shapeOf(attrs.name, inputs);
    const expected = evalShape(shape, bindings);
    if (got.length !== expected.length || got.some((dim, i) => dim !== expected[i])) {
      const details = { subject: `input '${attrs.name}'`, expected: `[${expected.join(', ')}]` };
      throw new NoodleError('BAD_INPUT', { ...details, got: `[${got.join(', ')}]` });
    }
  }
  return bindings;
}

function shapeOf(
  name: string,
  inputs: Readonly<Record<string, { readonly shape: readonly number[] }>>,
): readonly number[] {
  if (!Object.hasOwn(inputs, name)) {
    throw new NoodleError('BAD_INPUT', {
      subject: `input '${name}'`,
      expected: 'a tensor',
      got: 'none',
    });
  }
  return inputs[name].shape;
}

async function evaluate(
  tensor: Tensor,
  operands: readonly HostTensor[],
  inputs: Readonly<Record<string, HostInput>>,
  bindings: Bindings,
): Promise<HostTensor> {
  const shape = evalShape(tensor.shape, bindings);
  if (tensor.op === 'input')
    return { shape, data: Float64Array.from(inputs[tensor.attrs.name].data) };
  if (tensor.op === 'param') {
    const { entry } = tensor.attrs;
    const stored = { ...entry, shape, transposed: false };
    return { shape, data: Float64Array.from(await readFloats(stored)) };
  }
  const kernel = kernels[tensor.op] as (
    operands: readonly HostTensor[],
    attrs: unknown,
    context: { shape: readonly number[]; bindings: Bindings },
  ) => HostTensor;
  const result = kernel(operands, tensor.attrs, { shape, bindings });
  if (result.data.length !== shape.reduce((size, dim) => size * dim, 1)) {
    const reason = `${tensor.op} made ${result.data.length} values for [${shape.join(', ')}]`;
    throw new NoodleError('PROGRAM', { reason });
  }
  return result;
}
