/** A prompt that grows while it runs: the original nodes plus those that expansions added. */
import type { DynamicPromptView, GraphNode, Prompt, PromptNode } from './definition.ts';
import { entriesOf } from '../workflow/lossless-json.ts';
import { PythonError } from '../python/error.ts';

export interface DynamicPrompt extends DynamicPromptView {
  /** Adds a node that `parentId` expanded into; throws DuplicateNodeError unless it replaces its own. */
  addNode(id: string, node: GraphNode, parentId: string): void;
  /** Whether the node belongs to the original prompt. */
  isOriginal(id: string): boolean;
}

interface Ephemeral {
  readonly node: GraphNode;
  readonly parent: string;
  readonly display: string;
  readonly real: string;
}

/** Wraps the prompt of one run; `prompt` itself is never changed. */
export function createDynamicPrompt(prompt: Prompt): DynamicPrompt {
  const original = new Map<string, PromptNode>(
    entriesOf(prompt).map(([id, node]) => [id, withInputs(node)]),
  );
  const added = new Map<string, Ephemeral>();
  const parentOf = (id: string): string | undefined => added.get(id)?.parent;

  /** The display id followed until it names an original node (overrides may themselves be new). */
  const displayOf = (id: string): string => {
    let shown = id;
    for (let hops = 0; hops <= added.size; hops++) {
      const next = added.get(shown)?.display;
      if (next === undefined) return shown;
      shown = next;
    }
    return shown;
  };

  return {
    originalPrompt: prompt,
    getNode(id) {
      const node = added.get(id)?.node ?? original.get(id);
      if (node === undefined) {
        throw new PythonError('comfy_execution.graph.NodeNotFoundError', `Node ${id} not found`);
      }
      return node;
    },
    hasNode: (id) => original.has(id) || added.has(id),
    isOriginal: (id) => original.has(id),
    allNodeIds: () => [...original.keys(), ...added.keys()],
    getRealNodeId: (id) => added.get(id)?.real ?? id,
    getParentNodeId: (id) => parentOf(id) ?? null,
    getDisplayNodeId: displayOf,
    addNode(id, node, parentId) {
      if (original.has(id) || (added.has(id) && parentOf(id) !== parentId)) {
        throw new PythonError(
          'execution.DuplicateNodeError',
          `Attempt to add duplicate node ${id}. Ensure node ids are unique and deterministic or ` +
            'use graph_utils.GraphBuilder.',
        );
      }
      added.set(id, {
        node,
        parent: parentId,
        display: node.override_display_id ?? parentId,
        real: added.get(parentId)?.real ?? parentId,
      });
    },
  };
}

/** Nodes that no output needs are not validated, and may lack their inputs. */
function withInputs(node: PromptNode): PromptNode {
  const inputs: unknown = node.inputs;
  const isObject = typeof inputs === 'object' && inputs !== null && !Array.isArray(inputs);
  return isObject ? node : { ...node, inputs: {} };
}
