import { LiteGraph, type LGraph, type LGraphNode } from '@comfyorg/litegraph';
import type { IBaseWidget } from '@comfyorg/litegraph/dist/types/widgets';
import { isRecord } from './input-spec.ts';
import { layOut } from './layout.ts';
import { registerMissing } from './missing-node.ts';
import type { Loaded } from './load.ts';
import { t } from '../locale/translate.ts';

/** Builds a graph from an API prompt (`{id: {class_type, inputs}}`) and lays it out in columns. */
export function loadPrompt(graph: LGraph, prompt: unknown): Loaded {
  const entries = Object.entries(isRecord(prompt) ? prompt : {}).filter(
    (entry): entry is [string, Record<string, unknown>] =>
      isRecord(entry[1]) && typeof entry[1].class_type === 'string',
  );
  if (entries.length === 0) throw new TypeError(t('This is no workflow'));
  const missing = registerMissing(entries.map(([, node]) => String(node.class_type)));

  graph.clear();
  const made = new Map<string, LGraphNode>();
  for (const [id, data] of entries) {
    const node = LiteGraph.createNode(String(data.class_type));
    if (node === null) continue;
    const title = isRecord(data._meta) ? data._meta.title : undefined;
    if (typeof title === 'string' && title !== '') node.title = title;
    node.id = /^\d+$/.test(id) ? Number(id) : id;
    graph.add(node);
    made.set(id, node);
  }
  for (const [id, data] of entries) {
    const node = made.get(id);
    if (node !== undefined && isRecord(data.inputs)) fillInputs(node, data.inputs, made);
  }
  layOut(graph.nodes);
  graph.updateExecutionOrder();
  return { missing };
}

function fillInputs(
  node: LGraphNode,
  inputs: Record<string, unknown>,
  made: ReadonlyMap<string, LGraphNode>,
): void {
  // A choice before the inputs that it brings: `format`, then `format.bit_depth`.
  const depth = (name: string): number => name.split('.').length;
  const ordered = Object.entries(inputs).toSorted(([a], [b]) => depth(a) - depth(b));
  for (const [name, value] of ordered) {
    if (isLink(value)) {
      const origin = made.get(String(value[0]));
      const slot = Number(value[1]);
      if (origin === undefined) continue;
      // Stand-ins have no declared sockets: give them the ones the prompt shows.
      while (origin.outputs.length <= slot)
        origin.addOutput(`output ${origin.outputs.length + 1}`, '*');
      let target = node.findInputSlot(name);
      if (target < 0) {
        node.addInput(name, '*');
        target = node.inputs.length - 1;
      }
      origin.connect(slot, node, target);
      continue;
    }
    const widget = node.widgets?.find((w) => w.name === name);
    const plain = isRecord(value) && '__value__' in value ? value.__value__ : value;
    if (widget !== undefined) widget.value = plain as IBaseWidget['value'];
  }
}

const isLink = (value: unknown): value is [unknown, unknown] =>
  Array.isArray(value) &&
  value.length === 2 &&
  (typeof value[0] === 'string' || typeof value[0] === 'number') &&
  typeof value[1] === 'number';
