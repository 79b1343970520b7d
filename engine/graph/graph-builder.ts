/** Builds the `expand` part of a node's result: new nodes with unique, deterministic ids. */
import { isLink, linkSource } from './link.ts';
import type { Link } from './link.ts';
import type { GraphNode } from './prompt.ts';

export interface BuiltNode {
  readonly id: string;
  readonly classType: string;
  readonly inputs: Record<string, unknown>;
  /** A link to one of the node's outputs. */
  out(slot: number): Link;
  /** Sets an input; null and undefined remove it. */
  setInput(name: string, value: unknown): void;
  /** The node whose place this one takes in the user's eyes. */
  setOverrideDisplayId(id: string): void;
}

export interface GraphBuilder {
  readonly prefix: string;
  /** Adds a node; an `id` that exists already returns that node unchanged. */
  node(classType: string, inputs?: Record<string, unknown>, id?: string): BuiltNode;
  lookup(id: string): BuiltNode | undefined;
  remove(id: string): void;
  /** Makes every link to an output point to another value; null removes those inputs. */
  replaceOutput(id: string, slot: number, value: unknown): void;
  finalize(): Record<string, GraphNode>;
}

/** An empty graph whose node ids all start with `prefix` (ids given to its methods do not). */
export function createGraphBuilder(prefix: string): GraphBuilder {
  const nodes = new Map<string, BuiltNode & { displayId?: string }>();
  let nextId = 1;

  return {
    prefix,
    node(classType, inputs = {}, id) {
      const fullId = prefix + (id ?? String(nextId++));
      const existing = nodes.get(fullId);
      if (existing !== undefined) return existing;
      const node = buildNode(fullId, classType, { ...inputs });
      nodes.set(fullId, node);
      return node;
    },
    lookup: (id) => nodes.get(prefix + id),
    remove: (id) => void nodes.delete(prefix + id),
    replaceOutput(id, slot, value) {
      for (const node of nodes.values()) {
        for (const [name, input] of Object.entries(node.inputs)) {
          if (isLink(input) && linkSource(input) === prefix + id && Number(input[1]) === slot) {
            node.setInput(name, value);
          }
        }
      }
    },
    finalize() {
      const graph: Record<string, GraphNode> = {};
      for (const node of nodes.values()) {
        graph[node.id] = {
          class_type: node.classType,
          inputs: node.inputs,
          override_display_id: node.displayId,
        };
      }
      return graph;
    },
  };
}

function buildNode(
  id: string,
  classType: string,
  inputs: Record<string, unknown>,
): BuiltNode & { displayId?: string } {
  const node: BuiltNode & { displayId?: string } = {
    id,
    classType,
    inputs,
    out: (slot) => [id, slot],
    setInput(name, value) {
      if (value === null || value === undefined) delete inputs[name];
      else inputs[name] = value;
    },
    setOverrideDisplayId(displayId) {
      node.displayId = displayId;
    },
  };
  return node;
}
