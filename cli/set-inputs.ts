/** `--set NODE.INPUT=VALUE` and `--seed` on an API prompt. */
import { randomInt } from 'node:crypto';
import { NoodleError } from '../engine/errors.ts';
import { parseJson } from '../engine/workflow/lossless-json.ts';
import type { Json } from '../engine/workflow/lossless-json.ts';
import type { ApiPrompt } from '../engine/workflow/types.ts';

/**
 * Applies assignments in order. NODE is an id, or a title or class that only one node has. A value
 * is JSON where it can be read as such, else text. Throws BAD_INPUT naming what does not exist.
 */
export function setInputs(prompt: ApiPrompt, assignments: readonly string[]): void {
  for (const assignment of assignments) {
    const { nodeId, input, value } = readAssignment(prompt, assignment);
    // A list would be taken for a link.
    prompt[nodeId].inputs[input] =
      Array.isArray(value) && !isLink(value) ? { __value__: value } : value;
  }
}

function readAssignment(
  prompt: ApiPrompt,
  assignment: string,
): { nodeId: string; input: string; value: Json } {
  const equals = assignment.indexOf('=');
  const target = equals < 0 ? assignment : assignment.slice(0, equals);
  if (equals < 0 || !target.includes('.')) {
    throw badInput(`--set ${assignment}`, 'NODE.INPUT=VALUE', assignment);
  }
  // Ids and input names may hold dots themselves: the first split that names a node counts.
  for (let dot = target.indexOf('.'); dot > 0; dot = target.indexOf('.', dot + 1)) {
    const nodeId = findNode(prompt, target.slice(0, dot));
    if (nodeId === undefined) continue;
    return { nodeId, input: target.slice(dot + 1), value: readValue(assignment.slice(equals + 1)) };
  }
  throw badInput(`--set ${target}`, `a node of the workflow (${describeNodes(prompt)})`, target);
}

function findNode(prompt: ApiPrompt, name: string): string | undefined {
  if (Object.hasOwn(prompt, name)) return name;
  const matching = (text: (node: ApiPrompt[string]) => string | undefined): string[] =>
    Object.keys(prompt).filter((id) => text(prompt[id]) === name);
  for (const found of [
    matching((node) => node._meta?.title),
    matching((node) => node.class_type),
  ]) {
    if (found.length === 1) return found[0];
    if (found.length > 1) {
      throw badInput(`--set ${name}`, `the id of one node (${found.join(', ')})`, name);
    }
  }
  return undefined;
}

function readValue(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

const isLink = (value: Json[]): boolean =>
  value.length === 2 && typeof value[0] === 'string' && typeof value[1] === 'number';

function describeNodes(prompt: ApiPrompt): string {
  const names = Object.entries(prompt).map(([id, node]) => `${id} ${node.class_type}`);
  return names.length > 12 ? `${names.slice(0, 12).join(', ')}, …` : names.join(', ');
}

const LAST_SEED = 2n ** 64n - 1n;

/** Sets every constant input called `seed` or `noise_seed`; answers the seed that was used. */
export function setSeed(prompt: ApiPrompt, text: string): bigint {
  const seed = text === 'random' ? BigInt(randomInt(2 ** 48 - 1)) : readSeed(text);
  let count = 0;
  for (const { inputs } of Object.values(prompt)) {
    for (const name of ['seed', 'noise_seed']) {
      if (!Object.hasOwn(inputs, name) || Array.isArray(inputs[name])) continue;
      inputs[name] = seed <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seed) : seed;
      count++;
    }
  }
  if (count === 0) throw badInput('--seed', 'a workflow with a seed', 'one without');
  return seed;
}

function readSeed(text: string): bigint {
  const seed = /^\d{1,20}$/.test(text) ? BigInt(text) : -1n;
  if (seed < 0n || seed > LAST_SEED) {
    throw badInput('--seed', `an integer from 0 to ${LAST_SEED}, or "random"`, text);
  }
  return seed;
}

const badInput = (subject: string, expected: string, got: string): NoodleError =>
  new NoodleError('BAD_INPUT', { subject, expected, got });
