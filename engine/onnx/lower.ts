/** From a tensor program to an ONNX model: walks the nodes in order and asks a provider's table. */
import { type Dim, dimText } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Program } from '../tensor/trace.ts';
import { type Builder, createBuilder, storedWeight, weightName } from './builder.ts';
import { cpu } from './cpu.ts';
import type { OnnxModel, OnnxNode, OnnxValue } from './model.ts';
import { type LoweringTable, portable } from './portable.ts';

/** Which operators a model may use. */
export type Provider = 'cpu' | 'portable';

export interface LowerOptions {
  readonly provider?: Provider;
  /**
   * Where narrow weights become f32: by Cast nodes in the graph, or before the model sees them (the
   * model then asks for them in that layout).
   */
  readonly widen?: 'graph' | 'weights';
  /** Channels per block of NCHWc convolutions on this machine; needs weights prepared for it. */
  readonly block?: number;
}

const tables: Readonly<Record<Provider, LoweringTable>> = { cpu, portable };

/** The program as an ONNX model for a provider; the same program and options give the same model. */
export function lower(
  program: Program,
  { provider = 'cpu', widen = 'graph', block }: LowerOptions = {},
): OnnxModel {
  const names = new Map<Tensor, string>();
  const builder = createBuilder(program, names, block);
  for (const tensor of program.nodes) {
    if (tensor.op === 'param' || (widen === 'weights' && storedWeight(tensor))) continue;
    builder.scope = tensor.scope;
    names.set(tensor, lowerNode(builder, tensor, tables[provider]));
  }
  builder.scope = '';
  const outputs = Object.entries(program.outputs).map(([name, tensor]) => {
    const output = outputName(name);
    const node = { op: 'Identity', domain: '', name: output, outputs: [output], attributes: {} };
    builder.nodes.push({ ...node, inputs: [builder.nameOf(tensor)] });
    return value(output, tensor);
  });
  const { nodes, read } = withoutDead(builder.nodes, new Set(outputs.map(({ name }) => name)));
  return {
    name: program.name,
    nodes,
    initializers: builder.initializers.filter(({ name }) => read.has(name)),
    inputs: program.inputs.map((input) => value(input.attrs.name, input)),
    outputs,
  };
}

/** A program's output as the model names it: apart from inputs, which may have the same name. */
export const outputName = (name: string): string => `output/${name}`;

function lowerNode(builder: Builder, tensor: Tensor, table: LoweringTable): string {
  if (tensor.op === 'input') return tensor.attrs.name;
  if (tensor.op === 'param') return weightName(builder, tensor);
  const rule = table[tensor.op] as (b: Builder, t: Tensor, inputs: readonly string[]) => string;
  return rule(builder, tensor, tensor.inputs.map(builder.nameOf));
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

function value(name: string, { dtype, shape }: Pick<Tensor, 'dtype' | 'shape'>): OnnxValue {
  return {
    name,
    dtype,
    shape: shape.map((dim: Dim) => (typeof dim === 'number' ? dim : dimText(dim))),
  };
}
