/** From a tensor program to an ONNX model: walks the nodes in order and asks a provider's table. */
import { type Dim, dimText } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Program, symbolOrigins } from '../tensor/trace.ts';
import { type Builder, createBuilder } from './builder.ts';
import { cpu } from './cpu.ts';
import type { OnnxModel, OnnxValue } from './model.ts';
import { type LoweringTable, portable } from './portable.ts';

/** Which operators a model may use. */
export type Provider = 'cpu' | 'portable';

const tables: Readonly<Record<Provider, LoweringTable>> = { cpu, portable };

/** The program as an ONNX model for a provider; the same program gives the same model. */
export function lower(program: Program, provider: Provider = 'cpu'): OnnxModel {
  const builder = createBuilder(symbolOrigins(program.inputs));
  const names = new Map<Tensor, string>();
  for (const tensor of program.nodes) {
    builder.scope = tensor.scope;
    names.set(tensor, lowerNode(builder, tensor, names, tables[provider]));
  }
  builder.scope = '';
  const outputs = Object.entries(program.outputs).map(([name, tensor]) => {
    builder.nodes.push({
      op: 'Identity',
      domain: '',
      name: `output/${name}`,
      inputs: [names.get(tensor)!],
      outputs: [name],
      attributes: {},
    });
    return value(name, tensor);
  });
  return {
    name: program.name,
    nodes: builder.nodes,
    initializers: builder.initializers,
    inputs: program.inputs.map((input) => value(input.attrs.name, input)),
    outputs,
  };
}

function lowerNode(
  builder: Builder,
  tensor: Tensor,
  names: ReadonlyMap<Tensor, string>,
  table: LoweringTable,
): string {
  if (tensor.op === 'input') return tensor.attrs.name;
  if (tensor.op === 'param') {
    const { key, entry, dtype } = tensor.attrs;
    const shape = tensor.shape as readonly number[]; // stored tensors have fixed sizes
    builder.initializers.push({ name: `weights/${key}`, dtype, shape, entry });
    return `weights/${key}`;
  }
  const rule = table[tensor.op] as (b: Builder, t: Tensor, inputs: readonly string[]) => string;
  const inputs = tensor.inputs.map((input) => names.get(input)!);
  return rule(builder, tensor, inputs);
}

function value(name: string, { dtype, shape }: Pick<Tensor, 'dtype' | 'shape'>): OnnxValue {
  return {
    name,
    dtype,
    shape: shape.map((dim: Dim) => (typeof dim === 'number' ? dim : dimText(dim))),
  };
}
