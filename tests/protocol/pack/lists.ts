/** Lists on wires, and accumulations `{ accum: [...] }` as a list in one value. */
import { defineNode, int, optional, socket } from '../../../engine/node.ts';
import type { InputSpec, NodeDefinition, NodeOutput } from '../../../engine/node.ts';
import { withVariants } from './smart-type.ts';

interface Accumulation {
  readonly accum: readonly unknown[];
}

const accumulation = (): InputSpec<Accumulation, false> => socket('ACCUMULATION');

type Inputs = Readonly<Record<string, InputSpec>>;

const listNode = (
  name: string,
  displayName: string,
  inputs: Inputs,
  outputs: NodeDefinition['outputs'],
  run: (inputs: Record<string, unknown>) => readonly unknown[] | NodeOutput,
  inputIsList = false,
): NodeDefinition =>
  withVariants(
    defineNode({
      name,
      displayName,
      category: 'Testing/Lists',
      module: 'custom_nodes.testing-pack',
      form: 'v1',
      inputs,
      outputs,
      inputIsList,
      run,
    }),
  );

const itemsOf = (inputs: Record<string, unknown>): readonly unknown[] =>
  (inputs.accumulation as Accumulation | undefined)?.accum ?? [];

/** Python's list index: negative counts from the end, outside is an error. */
function position(items: readonly unknown[], index: unknown): number {
  const at = Number(index) < 0 ? Number(index) + items.length : Number(index);
  if (at < 0 || at >= items.length) throw new RangeError('list index out of range');
  return at;
}

const LIST_SOCKETS = 10;
const listSockets = Array.from({ length: LIST_SOCKETS - 1 }, (_, i) => `value${i + 1}`);

export const listNodes: readonly NodeDefinition[] = [
  listNode(
    'TestAccumulateNode',
    'Accumulate',
    { to_add: socket('*'), accumulation: optional(accumulation()) },
    [{ type: 'ACCUMULATION' }],
    (inputs) => [{ accum: [...itemsOf(inputs), inputs.to_add] }],
  ),
  listNode(
    'TestAccumulationHeadNode',
    'Accumulation Head',
    { accumulation: accumulation() },
    [{ type: 'ACCUMULATION' }, { type: '*' }],
    (inputs) => {
      const [head = null, ...rest] = itemsOf(inputs);
      return [{ accum: rest }, head];
    },
  ),
  listNode(
    'TestAccumulationTailNode',
    'Accumulation Tail',
    { accumulation: accumulation() },
    [{ type: 'ACCUMULATION' }, { type: '*' }],
    (inputs) => {
      const items = itemsOf(inputs);
      return [{ accum: items.slice(0, -1) }, items.at(-1) ?? null];
    },
  ),
  listNode(
    'TestAccumulationToListNode',
    'Accumulation to List',
    { accumulation: accumulation() },
    [{ type: '*', list: true }],
    (inputs) => [itemsOf(inputs)],
  ),
  listNode(
    'TestListToAccumulationNode',
    'List to Accumulation',
    { list: socket('*') },
    [{ type: 'ACCUMULATION' }],
    (inputs) => [{ accum: inputs.list }],
    true,
  ),
  listNode(
    'TestAccumulationGetLengthNode',
    'Accumulation Get Length',
    { accumulation: accumulation() },
    [{ type: 'INT' }],
    (inputs) => [itemsOf(inputs).length],
  ),
  listNode(
    'TestAccumulationGetItemNode',
    'Accumulation Get Item',
    { accumulation: accumulation(), index: int({ default: 0, step: 1 }) },
    [{ type: '*' }],
    (inputs) => [itemsOf(inputs)[position(itemsOf(inputs), inputs.index)]],
  ),
  listNode(
    'TestAccumulationSetItemNode',
    'Accumulation Set Item',
    { accumulation: accumulation(), index: int({ default: 0, step: 1 }), value: socket('*') },
    [{ type: 'ACCUMULATION' }],
    (inputs) => {
      const items = [...itemsOf(inputs)];
      items[position(items, inputs.index)] = inputs.value;
      return [{ accum: items }];
    },
  ),
  listNode(
    'TestMakeListNode',
    'Make List',
    Object.fromEntries(
      listSockets.map((name, i) => [name, i === 0 ? socket('*') : optional(socket('*'))]),
    ),
    [{ type: '*', list: true }],
    (inputs) => [listSockets.filter((name) => name in inputs).map((name) => inputs[name])],
  ),
];
