import { LiteGraph } from '@comfyorg/litegraph';
import { groupName } from '../../engine/workflow/group-nodes.ts';
import { groupFields, type GroupField } from '../../engine/workflow/subgraphs/group.ts';
import { readLevel, type Loose } from '../../engine/workflow/subgraphs/level.ts';
import { definitionsOf } from '../../engine/workflow/subgraphs/definitions.ts';
import type { ObjectInfo as ClassInfo } from '../../engine/workflow/types.ts';
import type { NodeInfo, ObjectInfo } from '../api/types.ts';
import type { EditorHooks } from './hooks.ts';
import { nodeClass } from './node-class.ts';

/** What classes of nodes are made of: descriptions by the server, and what nodes ask of the page. */
export interface Classes {
  readonly objectInfo: ObjectInfo;
  readonly hooks: EditorHooks;
}

/** Types of legacy group nodes: `workflow>NAME`, older `workflow/NAME`. */
export const isGroupType = (type: string): boolean => groupName(type) !== undefined;

/**
 * Registers a class for every legacy group node of a file, made of the fields that its definition in
 * `extra.groupNodes` says. Groups that the file does not define have no class.
 */
export function registerGroups(file: Loose, { objectInfo, hooks }: Classes): void {
  const nodes = [file, ...definitionsOf(file)].flatMap((holder) => readLevel(holder).nodes);
  const seen = new Set<string>();
  for (const node of nodes) {
    if (seen.has(node.type) || !isGroupType(node.type)) continue;
    seen.add(node.type);
    // Another file may have had another group of this name.
    if (Object.hasOwn(LiteGraph.registered_node_types, node.type)) {
      LiteGraph.unregisterNodeType(node.type);
    }
    const fields = groupFields(file, node, objectInfo as unknown as ClassInfo);
    if (fields !== null) {
      LiteGraph.registerNodeType(node.type, groupClass(node.type, fields, hooks));
    }
  }
}

function groupClass(type: string, fields: readonly GroupField[], hooks: EditorHooks) {
  const names = uniqueNames(fields);
  const inputs = fields.map(({ input, controlled }, i): [string, unknown] => [
    names[i],
    [input[0], { ...input[1], control_after_generate: controlled }],
  ]);
  const info: NodeInfo = {
    name: type,
    display_name: groupName(type),
    category: '',
    input: { required: Object.fromEntries(inputs) },
    input_order: { required: names },
    output: [],
  };
  return class GroupNode extends nodeClass(info, hooks) {
    static override skip_list = true;

    constructor(title: string) {
      super(title);
      for (const [i, { label, hidden }] of fields.entries()) {
        const widget = this.widgets?.find((w) => w.name === names[i]);
        if (widget === undefined) continue;
        widget.label = label;
        widget.hidden = hidden;
      }
    }
  };
}

function uniqueNames(fields: readonly GroupField[]): string[] {
  const taken = new Set<string>();
  return fields.map(({ name }) => {
    let own = name;
    for (let n = 1; taken.has(own); n++) own = `${name}_${n}`;
    taken.add(own);
    return own;
  });
}
