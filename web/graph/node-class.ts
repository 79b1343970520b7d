import { LiteGraph, RenderShape, type LGraphNode } from '@comfyorg/litegraph';
import type { NodeInfo } from '../api/types.ts';
import { addDeclaredInputs } from './declared-inputs.ts';
import { outputType } from './input-spec.ts';
import { describe, NoodleNode } from './node.ts';
import type { EditorHooks } from './hooks.ts';

/** Makes the litegraph class of one declared node: sockets, fields, marks and first size. */
export function nodeClass(info: NodeInfo, hooks: EditorHooks): typeof LGraphNode {
  const title = info.display_name || info.name;
  const made = class extends NoodleNode {
    static override title = title;
    static override type = info.name;
    /** The declaration; packs change it before the first node is made. */
    static nodeData = info;
    static comfyClass = info.name;
    override readonly comfyClass = info.name;

    constructor(givenTitle: string) {
      super(givenTitle || title, info.name);
      describe(this, info);
      addDeclaredInputs(this, this.specs, hooks);
      this.#addOutputs();
      const tall = this.specs.some((s) => s.widget === 'string' && s.options.multiline === true);
      const size = this.computeSize();
      this.setSize([Math.max(size[0], tall ? 400 : 225), Math.max(size[1], tall ? 200 : 0)]);
      hooks.created(this);
    }

    #addOutputs(): void {
      info.output.forEach((type, i) => {
        const isList = info.output_is_list?.[i] === true;
        this.addOutput(
          info.output_name?.[i] ?? (typeof type === 'string' ? type : 'COMBO'),
          outputType(type),
          isList ? { shape: RenderShape.GRID } : {},
        );
      });
    }
  };
  Object.defineProperty(made, 'name', { value: info.name });
  return made;
}

/** Registers every node of /object_info with litegraph; returns how many. */
export function registerNodes(
  objectInfo: Readonly<Record<string, NodeInfo>>,
  hooks: EditorHooks,
): number {
  let count = 0;
  for (const [name, info] of Object.entries(objectInfo)) {
    LiteGraph.registerNodeType(name, nodeClass({ ...info, name }, hooks));
    count++;
  }
  return count;
}
