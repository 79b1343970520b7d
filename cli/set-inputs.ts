/** `--set NODE.INPUT=VALUE`, `--set NAME=VALUE` and `--seed` on a workflow that was read. */
import { randomInt } from 'node:crypto';
import { NoodleError } from '../engine/errors.ts';
import type { Form } from '../engine/workflow/form/form.ts';
import { makeForm } from '../engine/workflow/form/make-form.ts';
import { isWords } from '../engine/workflow/form/read-value.ts';
import { checkValues, fillForm } from '../engine/workflow/form/set-values.ts';
import { parseJson } from '../engine/workflow/lossless-json.ts';
import type { Json } from '../engine/workflow/lossless-json.ts';
import { describeNodes, inputsInstead, namesNode, setInput } from '../engine/workflow/set-input.ts';
import type { ApiPrompt, ObjectInfo } from '../engine/workflow/types.ts';
import type { ReadWorkflow } from './read-workflow.ts';

/**
 * Applies assignments in order: those that name fields of the workflow's form, then those that name
 * inputs by NODE.INPUT, where NODE is an id, or a title or class that only one node has. A value is
 * JSON where it can be read as such, else text. Throws BAD_INPUT naming what does not exist; an input
 * that the class does not have is only told of, for nodes may take more than they say.
 */
export async function setInputs(
  read: ReadWorkflow,
  assignments: readonly string[],
  objectInfo: () => Promise<ObjectInfo>,
): Promise<ReadWorkflow> {
  if (assignments.length === 0) return read;
  const all = assignments.map(readAssignment);
  const isByNode = ({ target }: Assignment): boolean => namesNode(read.prompt, target);
  const info = await objectInfo();
  const named = all.filter((each) => !isByNode(each));
  const workflow = named.length === 0 ? read.workflow : setFields(read, named, info);
  const warnings = all.filter(isByNode).flatMap(({ target, text }) => {
    const set = setInput(read.prompt, target, readValue(text), `--set ${target}`);
    const instead = inputsInstead(set, info);
    if (instead === undefined) return [];
    return [`--set ${target}: ${set.type} has no input '${set.input}' (${instead.join(', ')})`];
  });
  return { prompt: read.prompt, workflow, warnings: [...read.warnings, ...warnings] };
}

interface Assignment {
  readonly target: string;
  readonly text: string;
}

function readAssignment(assignment: string): Assignment {
  const equals = assignment.indexOf('=');
  if (equals < 0) throw badInput(`--set ${assignment}`, EXPECTED, assignment);
  return { target: assignment.slice(0, equals), text: assignment.slice(equals + 1) };
}

const EXPECTED = 'NODE.INPUT=VALUE or NAME=VALUE';

/** Sets fields of the form in the prompt; answers the workflow that holds their values too. */
function setFields(
  { prompt, workflow }: ReadWorkflow,
  assignments: readonly Assignment[],
  info: ObjectInfo,
): Json | undefined {
  const file = (workflow ?? prompt) as unknown as { [key: string]: Json };
  const form = makeForm(file, info);
  const values = new Map<string, Json>();
  for (const { target, text } of assignments) {
    const field = form.fields.find(({ name, key }) => name === target || key === target);
    const subject = `--set ${target}`;
    if (field === undefined) throw badInput(subject, expectedFor(target, prompt, form), target);
    const value = isWords(field) ? text : readValue(text);
    const [problem] = checkValues(form, { [field.key]: value }).problems;
    if (problem !== undefined) throw badInput(subject, `a value that ${problem.detail}`, text);
    for (const key of field.targets) setInput(prompt, key, value, subject);
    values.set(field.key, value);
  }
  return workflow === undefined ? undefined : fillForm(file, form, values, info).file;
}

function expectedFor(target: string, prompt: ApiPrompt, { fields }: Form): string {
  if (target.includes('.')) return `a node of the workflow (${describeNodes(prompt)})`;
  const names = fields
    .filter(({ hidden, advanced }) => !hidden && !advanced)
    .map(({ name }) => name);
  return `${EXPECTED}, where NAME is a field of the form (${names.join(', ')})`;
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
