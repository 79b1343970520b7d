/** Changing single inputs of an API prompt by `NODE.INPUT`: `noodle run --set` and the public API. */
import { NoodleError } from '../errors.ts';
import type { Json } from './lossless-json.ts';
import type { ApiPrompt, ObjectInfo } from './types.ts';
import { inputsInOrder } from './widgets.ts';

/** Whether a text names an input by its node: some node is what stands before one of its dots. */
export const namesNode = (prompt: ApiPrompt, target: string): boolean => {
  const heads = [...target.matchAll(/\./g)].map(({ index }) => target.slice(0, index));
  const names = new Set(
    Object.entries(prompt).flatMap(([id, node]) => [id, node._meta?.title, node.class_type]),
  );
  return heads.some((head) => names.has(head));
};

/**
 * Sets the input that `target` names: NODE is an id, or a title or class that only one node has. A
 * list is wrapped unless it is a link. Throws BAD_INPUT about `subject` when there is no such node.
 */
export function setInput(
  prompt: ApiPrompt,
  target: string,
  value: Json,
  subject: string,
): SetInput {
  const { nodeId, input } = findInput(prompt, target, subject);
  const { inputs, class_type: type } = prompt[nodeId];
  const wasThere = Object.hasOwn(inputs, input);
  inputs[input] = Array.isArray(value) && !isLink(value) ? { __value__: value } : value;
  return { type, input, wasThere };
}

/** What was set. */
export interface SetInput {
  /** Class of the node. */
  readonly type: string;
  readonly input: string;
  /** The prompt had this input before. */
  readonly wasThere: boolean;
}

/** Inputs of the class, where one that was set anew is none of them; undefined where it may well be. */
export function inputsInstead(
  { type, input, wasThere }: SetInput,
  objectInfo: ObjectInfo,
): readonly string[] | undefined {
  const info = Object.hasOwn(objectInfo, type) ? objectInfo[type] : undefined;
  if (wasThere || info === undefined) return undefined;
  const names = inputsInOrder(info).map(([name]) => name);
  // Inputs that grow are called after the one that makes them: `images.image0`.
  return names.includes(input.split('.')[0]) ? undefined : names;
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

/** The nodes of a prompt in a few words. */
export function describeNodes(prompt: ApiPrompt): string {
  const names = Object.entries(prompt).map(([id, node]) => `${id} ${node.class_type}`);
  return names.length > 12 ? `${names.slice(0, 12).join(', ')}, …` : names.join(', ');
}

const badInput = (subject: string, expected: string, got: string): NoodleError =>
  new NoodleError('BAD_INPUT', { subject, expected, got });
