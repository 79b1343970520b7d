/**
 * Cutting a program into programs that run one after the other: how a network larger than memory runs
 * part by part, and where gradients keep what they need.
 */
import { NoodleError } from '../errors.ts';
import { type Dim, unknownSymbol } from './shape.ts';
import { type Input, input, leafOps } from './ops/leaves.ts';
import { type SizeOrigins, sizeOrigins } from './sizes.ts';
import { type Tensor, isOp } from './tensor.ts';
import { type Program, topologicalOrder } from './trace.ts';

/**
 * The program in parts: the first computes `cuts[0]` and all that it depends on, the next what
 * `cuts[1]` needs beyond that, the last the rest. Tensors that later parts read are outputs of one part
 * and inputs of others, named `cut/0`, `cut/1`, …; inputs and outputs of the program keep their names.
 * What depends on no input (weights, constants) crosses nothing: each part that reads it has it. Throws
 * PROGRAM for a cut that is no tensor of the program.
 */
export function partition(program: Program, cuts: readonly Tensor[]): Program[] {
  const stages = stagesOf(program, cuts);
  const plan = { program, stages, crossing: crossingTensors(program, stages) };
  return Array.from({ length: cuts.length + 1 }, (_, stage) => partOf(plan, stage)).filter(
    ({ outputs }) => Object.keys(outputs).length > 0,
  );
}

interface Plan {
  readonly program: Program;
  /** The part that computes each tensor that depends on an input; those that depend on none have none. */
  readonly stages: ReadonlyMap<Tensor, number>;
  /** Tensors that a later part reads, with their names. */
  readonly crossing: ReadonlyMap<Tensor, string>;
}

function stagesOf(program: Program, cuts: readonly Tensor[]): Plan['stages'] {
  const known = new Set(program.nodes);
  const fixed = new Set<Tensor>();
  for (const tensor of program.nodes) {
    if (!isOp(leafOps.input, tensor) && tensor.inputs.every((input) => fixed.has(input)))
      fixed.add(tensor);
  }
  const stages = new Map<Tensor, number>();
  [...cuts, ...Object.values(program.outputs)].forEach((root, i) => {
    if (!known.has(root)) {
      const reason = `${program.name}: a cut (${root.op.name} @${root.scope}) is no part of the program`;
      throw new NoodleError('PROGRAM', { reason });
    }
    const open = [root];
    for (let top = open.pop(); top; top = open.pop()) {
      if (isOp(leafOps.input, top) || fixed.has(top) || stages.has(top)) continue;
      stages.set(top, Math.min(i, cuts.length));
      open.push(...top.inputs);
    }
  });
  return stages;
}

function crossingTensors({ nodes }: Program, stages: Plan['stages']): Plan['crossing'] {
  const crossing = new Map<Tensor, string>();
  for (const tensor of nodes) {
    const reader = stages.get(tensor);
    if (reader === undefined) continue;
    for (const input of tensor.inputs) {
      const maker = stages.get(input);
      if (maker === undefined || maker === reader || crossing.has(input)) continue;
      crossing.set(input, `cut/${crossing.size}`);
    }
  }
  return crossing;
}

function partOf({ program, stages, crossing }: Plan, stage: number): Program {
  const outputs: Record<string, Tensor> = {};
  for (const [tensor, name] of crossing) {
    if (stages.get(tensor) === stage) outputs[name] = tensor;
  }
  for (const [name, tensor] of Object.entries(program.outputs)) {
    if ((stages.get(tensor) ?? 0) === stage) outputs[name] = tensor;
  }
  const copies = new Map<Tensor, Tensor>();
  const inputs: Input[] = [];
  const declare = (declared: Input): Tensor => {
    inputs.push(declared);
    return declared;
  };
  /** The tensor in this part: an input where an earlier part made it, else over this part's tensors. */
  const copy = (tensor: Tensor): Tensor => {
    if (isOp(leafOps.input, tensor)) return declare(tensor);
    const maker = stages.get(tensor) ?? stage;
    const { shape, dtype, scope } = tensor;
    if (maker !== stage) {
      return declare(input(crossing.get(tensor)!, dtype, shape, scope));
    }
    const own = tensor.inputs.map((input) => copies.get(input)!);
    const same = own.every((input, i) => input === tensor.inputs[i]);
    return same ? tensor : { ...tensor, inputs: own };
  };
  // inputs before their readers, and nothing that an earlier part made
  const borders = new Set([...crossing.keys()].filter((t) => stages.get(t) !== stage));
  for (const tensor of topologicalOrder(Object.values(outputs), (t) => borders.has(t))) {
    copies.set(tensor, copy(tensor));
  }
  const nodes = [...copies.values()];
  const sizes = declareSizes(program, nodes, inputs);
  const keys = nodes.flatMap((tensor) => (isOp(leafOps.param, tensor) ? [tensor.attrs.key] : []));
  return {
    name: `${program.name}/${stage}`,
    inputs,
    sizes,
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([output, tensor]) => [output, copies.get(tensor)!]),
    ),
    nodes,
    usage: { label: program.usage.label, used: keys, unused: [] },
    sites: new Map(
      [...program.sites].flatMap(([site, tensor]) => {
        const own = copies.get(tensor);
        return own && !isOp(leafOps.input, own) ? [[site, own] as const] : [];
      }),
    ),
  };
}

/** Adds the program's own inputs whose shapes tell sizes that the part's inputs do not; gives all sizes. */
function declareSizes(program: Program, nodes: readonly Tensor[], inputs: Input[]): SizeOrigins {
  let known = sizeOrigins(inputs);
  const dims = nodes.flatMap(({ shape, attrs }): unknown[] => [
    ...shape,
    ...Object.values(attrs as Readonly<Record<string, unknown>>).flat(),
  ]);
  for (const dim of dims.filter(isDim)) {
    for (;;) {
      const symbol = unknownSymbol(dim, (text) => known.has(text));
      if (symbol === undefined) break;
      // tracing has made sure that the program's inputs tell it
      const rest = program.inputs.filter((input) => !inputs.includes(input));
      inputs.push(program.sizes.get(symbol)?.input ?? rest[0]);
      known = sizeOrigins(inputs);
    }
  }
  return known;
}

const isDim = (value: unknown): value is Dim =>
  typeof value === 'object' && value !== null && 'terms' in value;
