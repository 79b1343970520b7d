/** From a tensor program to an ONNX model: walks the nodes in order and asks a provider's table. */
import { NoodleError } from '../errors.ts';
import { leafOps } from '../tensor/ops/leaves.ts';
import { type Dim, dimText } from '../tensor/shape.ts';
import { type Tensor, decomposed, isOp } from '../tensor/tensor.ts';
import type { Program } from '../tensor/trace.ts';
import {
  type Builder,
  type Real,
  type WeightForms,
  createBuilder,
  storedWeight,
} from './builder.ts';
import { cpu } from './cpu.ts';
import type { Initializer, OnnxModel, OnnxNode, OnnxValue } from './model.ts';
import type { LoweredOp, LoweringTable } from './portable.ts';

/** What a model is lowered for. */
export interface Target extends Partial<WeightForms> {
  /** The operators that a model may use; left out: those of the CPU provider. */
  readonly table?: LoweringTable;
  /** The type that reals are computed in; inputs and outputs are f32 in any case. */
  readonly compute?: Real;
  /**
   * Which tensors are computed in f32 whatever `compute` says; `weighted` tells whether a tensor
   * depends on any weight.
   */
  readonly exact?: (tensor: Tensor, weighted: boolean) => boolean;
}

/** The program as an ONNX model for a target; the same program and target give the same model. */
export function lower(
  program: Program,
  {
    table = cpu,
    compute = 'f32',
    exact = () => false,
    widen = 'graph',
    keepStored,
    isShort,
    packsNibbles,
    block,
    bits,
    winograd,
  }: Target = {},
): OnnxModel {
  const builder = createBuilder(program, {
    widen,
    keepStored,
    isShort,
    packsNibbles,
    block,
    bits,
    winograd,
  });
  for (const input of program.inputs) builder.define(input, input.attrs.name);
  const weighted = new Set<Tensor>();
  for (const tensor of program.nodes) {
    const isWeighted =
      isOp(leafOps.param, tensor) || tensor.inputs.some((input) => weighted.has(input));
    if (isWeighted) weighted.add(tensor);
    if (!isLowered(tensor) || builder.knows(tensor)) continue;
    builder.scope = tensor.scope;
    const real = (node: Tensor): Real => (exact(node, isWeighted) ? 'f32' : compute);
    lowerNode(builder, tensor, { table, real });
  }
  builder.scope = '';
  builder.real = 'f32';
  const outputs = Object.entries(program.outputs).map(([name, tensor]) => {
    const output = outputName(name);
    const node = { op: 'Identity', domain: '', name: output, outputs: [output], attributes: {} };
    const inputs = [builder.nameOf(tensor)];
    builder.nodes.push({ ...node, inputs });
    return value(output, tensor);
  });
  const { nodes, read } = withoutDead(builder.nodes, new Set(outputs.map(({ name }) => name)));
  return {
    name: program.name,
    nodes: weightsFirst(nodes, builder.initializers),
    initializers: builder.initializers.filter(({ name }) => read.has(name)),
    inputs: program.inputs.map((input) => value(input.attrs.name, input)),
    outputs,
  };
}

/** A program's output as the model names it: apart from inputs, which may have the same name. */
export const outputName = (name: string): string => `output/${name}`;

interface Rules {
  readonly table: LoweringTable;
  /** The type that a node's reals are computed in. */
  readonly real: (node: Tensor) => Real;
}

/** Lowers a node by its row, or in primitive steps where the table has none or the row declines. */
function lowerNode(builder: Builder, tensor: Tensor, rules: Rules): void {
  const real = rules.real(tensor);
  builder.real = real;
  builder.anchor = builder.keepStored ? anchorOf(builder, tensor) : undefined;
  const row = rules.table[tensor.op.name as LoweredOp];
  const name =
    row?.(builder, tensor as never, tensor.inputs.map(builder.nameOf)) ??
    lowerSteps(builder, tensor, { ...rules, real: real === 'f32' ? () => real : rules.real });
  builder.real = real;
  builder.define(tensor, name);
}

/** What a node reads that is no weight, if there is something. */
function anchorOf(builder: Builder, { inputs }: Tensor): string | undefined {
  const read = inputs.find((input) => !storedWeight(input) && !isOp(leafOps.constant, input));
  return read && builder.nameOf(read);
}

/** Inputs and weights are there before any node. */
const isLowered = (tensor: Tensor): boolean =>
  !isOp(leafOps.input, tensor) && !isOp(leafOps.param, tensor);

/** The steps of an exact op are exact. */
function lowerSteps(builder: Builder, tensor: Tensor, rules: Rules): string {
  const result = decomposed(tensor);
  if (!result) {
    throw new NoodleError('PROGRAM', {
      reason: `there is no lowering of the op ${tensor.op.name}`,
    });
  }
  const visit = (step: Tensor): void => {
    if (!isLowered(step) || builder.knows(step)) return;
    step.inputs.forEach(visit);
    lowerNode(builder, step, rules);
  };
  visit(result);
  builder.real = rules.real(tensor);
  return builder.nameOf(result);
}

/** The nodes that an output depends on (rules may pass over an input's own nodes), and all they read. */
function withoutDead(
  nodes: readonly OnnxNode[],
  read: Set<string>,
): { nodes: OnnxNode[]; read: ReadonlySet<string> } {
  const alive = nodes.toReversed().filter(({ inputs, outputs }) => {
    const used = outputs.some((name) => read.has(name));
    if (used) inputs.forEach((name) => read.add(name));
    return used;
  });
  return { nodes: alive.reverse(), read };
}

/**
 * What is made of weights alone before all else. ONNX Runtime goes from the outputs back, and of what an operator
 * reads it computes first what was written last: so a weight is widened right before it is read. Written after, it
 * would be widened before all that the other operand depends on, and held until then.
 */
function weightsFirst(
  nodes: readonly OnnxNode[],
  initializers: readonly Initializer[],
): readonly OnnxNode[] {
  const given = new Set(initializers.map(({ name }) => name));
  const [first, rest]: OnnxNode[][] = [[], []];
  for (const node of nodes) {
    const isGiven = node.inputs.every((name) => given.has(name) || name === '');
    (isGiven ? first : rest).push(node);
    if (isGiven) node.outputs.forEach((name) => given.add(name));
  }
  return [...first, ...rest];
}

function value(name: string, { dtype, shape }: Pick<Tensor, 'dtype' | 'shape'>): OnnxValue {
  return {
    name,
    dtype,
    shape: shape.map((dim: Dim) => (typeof dim === 'number' ? dim : dimText(dim))),
  };
}
