/** `--set NODE.INPUT=VALUE` and `--seed` on an API prompt. */
import { randomInt } from 'node:crypto';
import { NoodleError } from '../engine/errors.ts';
import { parseJson } from '../engine/workflow/lossless-json.ts';
import type { Json } from '../engine/workflow/lossless-json.ts';
import { setInput } from '../engine/workflow/set-input.ts';
import type { ApiPrompt } from '../engine/workflow/types.ts';

/**
 * Applies assignments in order. NODE is an id, or a title or class that only one node has. A value
 * is JSON where it can be read as such, else text. Throws BAD_INPUT naming what does not exist.
 */
export function setInputs(prompt: ApiPrompt, assignments: readonly string[]): void {
  for (const assignment of assignments) {
    const equals = assignment.indexOf('=');
    const target = equals < 0 ? assignment : assignment.slice(0, equals);
    if (equals < 0 || !target.includes('.')) {
      throw badInput(`--set ${assignment}`, 'NODE.INPUT=VALUE', assignment);
    }
    setInput(prompt, target, readValue(assignment.slice(equals + 1)), `--set ${target}`);
  }
}

function readValue(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
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
