/** Changing single inputs of an API prompt by `NODE.INPUT`: `noodle run --set` and the public API. */
import { NoodleError } from '../errors.ts';
import type { Json } from './lossless-json.ts';
import type { ApiPrompt } from './types.ts';

/**
 * Sets the input that `target` names: NODE is an id, or a title or class that only one node has. A
 * list is wrapped unless it is a link. Throws BAD_INPUT about `subject` when there is no such node.
 */
export function setInput(prompt: ApiPrompt, target: string, value: Json, subject: string): void {
  const { nodeId, input } = findInput(prompt, target, subject);
  prompt[nodeId].inputs[input] =
    Array.isArray(value) && !isLink(value) ? { __value__: value } : value;
}

function findInput(
  prompt: ApiPrompt,
  target: string,
  subject: string,
): { nodeId: string; input: string } {
  if (!target.includes('.')) throw badInput(subject, 'NODE.INPUT', target);
  // Ids and input names may hold dots themselves: the first split that names a node counts.
  for (let dot = target.indexOf('.'); dot > 0; dot = target.indexOf('.', dot + 1)) {
    const nodeId = findNode(prompt, target.slice(0, dot), subject);
    if (nodeId !== undefined) return { nodeId, input: target.slice(dot + 1) };
  }
  throw badInput(subject, `a node of the workflow (${describeNodes(prompt)})`, target);
}

function findNode(prompt: ApiPrompt, name: string, subject: string): string | undefined {
  if (Object.hasOwn(prompt, name)) return name;
  const matching = (text: (node: ApiPrompt[string]) => string | undefined): string[] =>
    Object.keys(prompt).filter((id) => text(prompt[id]) === name);
  for (const found of [
    matching((node) => node._meta?.title),
    matching((node) => node.class_type),
  ]) {
    if (found.length === 1) return found[0];
    if (found.length > 1) {
      throw badInput(subject, `the id of one node (${found.join(', ')})`, name);
    }
  }
  return undefined;
}

const isLink = (value: Json[]): boolean =>
  value.length === 2 && typeof value[0] === 'string' && typeof value[1] === 'number';

function describeNodes(prompt: ApiPrompt): string {
  const names = Object.entries(prompt).map(([id, node]) => `${id} ${node.class_type}`);
  return names.length > 12 ? `${names.slice(0, 12).join(', ')}, …` : names.join(', ');
}

const badInput = (subject: string, expected: string, got: string): NoodleError =>
  new NoodleError('BAD_INPUT', { subject, expected, got });
