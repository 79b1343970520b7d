/**
 * Cache keys. A node's key is a hash of its class, its IS_CHANGED value, its constants and the keys
 * of the nodes it is linked to (a Merkle tree), so a whole prompt costs time linear in its links.
 * Node ids are no part of it, except where a node asks for its id or is not idempotent: equal nodes
 * with equal ancestors share one result. What cannot be compared (NaN, arrays, objects with a
 * class) gets a number never used before, so that its key matches nothing but itself.
 */
import { hash } from 'node:crypto';
import { Float, pythonFloat } from '../workflow/lossless-json.ts';
import type { NodeDefinition } from './definition.ts';
import type { DynamicPrompt } from './dynamic-prompt.ts';
import { isLink, linkSource } from './link.ts';

export interface Signatures {
  /** Computes the keys of these nodes and of all their ancestors. */
  add(nodeIds: Iterable<string>): Promise<void>;
  /** Forgets keys of nodes that are about to be replaced. */
  forget(nodeIds: Iterable<string>): void;
  /** The key of a node that was added; undefined otherwise. */
  keyOf(nodeId: string): string | undefined;
}

export interface SignatureOptions {
  readonly prompt: DynamicPrompt;
  readonly definitionOf: (nodeId: string) => NodeDefinition;
  /** The node's IS_CHANGED value; asked once per node. */
  readonly isChanged: (nodeId: string) => unknown;
}

let unique = 0;

/** The keys of one run. */
export function createSignatures({
  prompt,
  definitionOf,
  isChanged,
}: SignatureOptions): Signatures {
  const keys = new Map<string, string>();

  const ancestorsOf = (id: string): string[] =>
    prompt.hasNode(id)
      ? Object.values(prompt.getNode(id).inputs).filter(isLink).map(linkSource)
      : [];

  const signNode = async (id: string): Promise<string> => {
    if (!prompt.hasNode(id)) return never();
    const definition = definitionOf(id);
    const node = prompt.getNode(id);
    const parts = [quote(node.class_type), canonical(await isChanged(id))];
    if (dependsOnId(definition)) parts.push(quote(id));
    for (const name of Object.keys(node.inputs).sort()) {
      const value = node.inputs[name];
      // An ancestor without a key is part of a cycle through this node.
      const part = isLink(value)
        ? `@${keys.get(linkSource(value)) ?? never()}#${Number(value[1])}`
        : canonical(value);
      parts.push(`${quote(name)}=${part}`);
    }
    return hash('sha256', parts.join(','), 'base64');
  };

  return {
    keyOf: (id) => keys.get(id),
    forget(nodeIds) {
      for (const id of nodeIds) keys.delete(id);
    },
    async add(nodeIds) {
      for (const start of nodeIds) {
        const seen = new Set<string>();
        const stack = [start];
        for (let id = stack.at(-1); id !== undefined; id = stack.at(-1)) {
          if (keys.has(id)) {
            stack.pop();
          } else if (seen.has(id)) {
            stack.pop();
            keys.set(id, await signNode(id));
          } else {
            seen.add(id);
            for (const from of ancestorsOf(id))
              if (!keys.has(from) && !seen.has(from)) stack.push(from);
          }
        }
      }
    },
  };
}

/** Nodes whose result is tied to their id. As in ComfyUI, the id that V3 nodes ask for does not count. */
const dependsOnId = (definition: NodeDefinition): boolean =>
  definition.notIdempotent === true ||
  (definition.form === 'v1' && Object.values(definition.hidden ?? {}).includes('UNIQUE_ID'));

const quote = (text: string): string => JSON.stringify(text);

const never = (): string => `never${unique++}`;

const MAX_DEPTH = 600;

/** A text that is equal for equal values only; 5 and 5.0 differ. */
function canonical(value: unknown, depth = 0): string {
  if (typeof value === 'string') return quote(value);
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return Number.isNaN(value) ? never() : String(value);
  if (value instanceof Float) return pythonFloat(value.value);
  if (typeof value !== 'object' || depth > MAX_DEPTH) return never();
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, depth + 1)).join(',')}]`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return never();
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, item]) => `${quote(key)}:${canonical(item, depth + 1)}`).join(',')}}`;
}
