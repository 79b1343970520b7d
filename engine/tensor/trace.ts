/** Tracing: runs an architecture's function once and keeps the tensors its outputs depend on. */
import { NoodleError } from '../errors.ts';
import type { WeightSource } from '../weights/source.ts';
import { type Weights, openWeights } from './cursor.ts';
import type { Dtype } from './dtype.ts';
import { type Input, input, leafOps } from './ops/leaves.ts';
import { type Dim, symbol, unknownSymbol } from './shape.ts';
import { type SizeOrigins, sizeOrigins } from './sizes.ts';
import { type Tensor, isOp } from './tensor.ts';

export interface Program {
  readonly name: string;
  readonly inputs: readonly Input[];
  /** Where the sizes come from. */
  readonly sizes: SizeOrigins;
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Every tensor that an output depends on, inputs of a node before the node. */
  readonly nodes: readonly Tensor[];
  readonly usage: Usage;
  /** Outputs of the network's named parts, in the order they were traced. */
  readonly sites: ReadonlyMap<string, Tensor>;
}

/** Which weights a program reads. */
export interface Usage {
  /** The source's name. */
  readonly label: string;
  /** Keys that were read, and those that nothing asked for. */
  readonly used: readonly string[];
  readonly unused: readonly string[];
}

/** What an architecture builds with. */
export interface Graph {
  /** Declares an input; a string in `dims` names a symbolic size. */
  readonly input: (name: string, dtype: Dtype, dims: readonly (Dim | string)[]) => Tensor;
  readonly weights: Weights;
}

/**
 * The program of `build`. Weights are a source or a cursor (with patches, or shared with
 * another program). Throws WEIGHTS_MISSING for a key the file lacks and PROGRAM for shapes that do not fit.
 */
export function trace(
  name: string,
  weights: WeightSource | Weights,
  build: (g: Graph) => Record<string, Tensor>,
): Program {
  const cursor = 'tensors' in weights ? openWeights(weights) : weights;
  const inputs: Input[] = [];
  const own = build({
    weights: cursor,
    input: (inputName, dtype, dims) => {
      if (inputs.some((other) => other.attrs.name === inputName)) {
        throw new NoodleError('PROGRAM', { reason: `${name}: two inputs named '${inputName}'` });
      }
      const shape = dims.map((dim) => (typeof dim === 'string' ? symbol(dim) : dim));
      const declared = input(inputName, dtype, shape);
      inputs.push(declared);
      return declared;
    },
  });
  const outputs = { ...own, ...Object.fromEntries(cursor.ledger.outputs) };
  const nodes = topologicalOrder(Object.values(outputs));
  for (const tensor of nodes) {
    if (isOp(leafOps.input, tensor) && !inputs.includes(tensor)) inputs.push(tensor); // from a patch
  }
  const sizes = sizeOrigins(inputs);
  checkSymbols(name, sizes, nodes);
  const { source, used, sites } = cursor.ledger;
  const unused = [...source.tensors.keys()].filter((key) => !used.has(key));
  return {
    name,
    inputs,
    sizes,
    outputs,
    nodes,
    usage: { label: source.label, used: [...used], unused },
    sites,
  };
}

/**
 * All tensors that `roots` depend on, inputs first, and not beyond those that are a `border`; without
 * recursion, for programs are deep.
 */
export function topologicalOrder(
  roots: readonly Tensor[],
  border: (tensor: Tensor) => boolean = () => false,
): Tensor[] {
  const order: Tensor[] = [];
  const state = new Map<Tensor, 'open' | 'done'>();
  const stack = [...roots].reverse();
  while (stack.length > 0) {
    const top = stack.at(-1)!;
    if (state.get(top) === undefined) {
      state.set(top, 'open');
      for (const input of border(top) ? [] : [...top.inputs].reverse()) {
        if (state.get(input) === undefined) stack.push(input);
      }
    } else {
      if (state.get(top) === 'open') {
        state.set(top, 'done');
        order.push(top);
      }
      stack.pop();
    }
  }
  return order;
}

function checkSymbols(name: string, origins: SizeOrigins, nodes: readonly Tensor[]): void {
  for (const tensor of nodes) {
    for (const dim of tensor.shape) {
      const unbound = unknownSymbol(dim, (text) => origins.has(text));
      if (unbound !== undefined) {
        const reason = `${name}: the size '${unbound}' is not the size of any input`;
        throw new NoodleError('PROGRAM', { reason });
      }
    }
  }
}
