/** Validation of one node, written as steps so that deep graphs need no recursion. */
import type { Json } from '../workflow/lossless-json.ts';
import { checkRange, convertConstant, inputConfig } from './check-value.ts';
import type { PromptError, Slot } from './check-value.ts';
import type { ChoiceSource, NodeDefinition, Prompt, ValidateSpec } from './definition.ts';
import { effectiveInputs } from './dynamic-inputs.ts';
import type { DynamicProblem } from './dynamic-inputs.ts';
import { gatherInputs } from './gather-inputs.ts';
import type { Slices } from './gather-inputs.ts';
import { callsOf } from './map-slices.ts';
import { PythonError, messageOf, pythonTypeOf, tracebackOf } from '../python/error.ts';
import { pythonRepr, pythonStr, pythonTypeName } from '../python/repr.ts';
import { typesMatch } from './types-match.ts';
import type { WireType } from './types-match.ts';
import { wireType } from './object-info.ts';

/** What validating a node, with all upstream of it, came to. */
export interface Verdict {
  readonly valid: boolean;
  /** The node's own errors; empty when only upstream nodes are wrong. */
  readonly errors: readonly PromptError[];
}

/** What a node waits for: the verdict on another node, or a validator's answer. */
export type Step =
  | { readonly kind: 'upstream'; readonly nodeId: string }
  | { readonly kind: 'answer'; readonly answer: Promise<unknown> };

export interface ValidateContext {
  readonly prompt: Prompt;
  definitionOf(nodeId: string): NodeDefinition;
  readonly source: ChoiceSource;
  /** Where the verdict on an upstream node goes when validating it threw. */
  setVerdict(nodeId: string, verdict: Verdict): void;
}

/** Checks a node's inputs in declared order; converted constants are written back to the prompt. */
export function* validateNode(
  context: ValidateContext,
  nodeId: string,
): Generator<Step, Verdict, unknown> {
  const { prompt, source } = context;
  const definition = context.definitionOf(nodeId);
  const { form, validate } = definition;
  const inputs = inputsOf(prompt, nodeId);
  const errors: PromptError[] = [];
  const receivedTypes: Record<string, WireType> = {};
  let valid = true;

  const problems: DynamicProblem[] = [];
  const declared = effectiveInputs(definition, inputs, problems);
  errors.push(...problems.map(invalidDynamicInput));

  for (const [name, spec] of inDeclaredOrder(declared)) {
    if (!Object.hasOwn(inputs, name)) {
      if (!spec.optional) errors.push(requiredInputMissing(name));
      continue;
    }
    const slot: Slot = { name, spec, form, source };
    const value = inputs[name];
    if (Array.isArray(value)) {
      if (value.length !== 2) {
        errors.push(badLinkedInput(slot, value));
        continue;
      }
      const received = outputType(context, value as [Json, Json]);
      receivedTypes[name] = received;
      const expected = wireType(spec, form, source);
      if (validate?.inputTypes !== true && !typesMatch(received, expected)) {
        errors.push(returnTypeMismatch(slot, received, expected, value));
        continue;
      }
      const upstream = value[0] as string;
      try {
        const verdict = (yield { kind: 'upstream', nodeId: upstream }) as Verdict;
        if (!verdict.valid) valid = false;
      } catch (error) {
        valid = false;
        context.setVerdict(upstream, {
          valid: false,
          errors: [innerException(slot, value, error)],
        });
      }
      continue;
    }
    const error = checkConstant(slot, inputs, validate);
    if (error !== undefined) errors.push(error);
  }

  if (validate !== undefined) {
    errors.push(...(yield* customErrors(context, definition, nodeId, validate, receivedTypes)));
  }
  return { valid: valid && errors.length === 0, errors };
}

/** Converts a constant in place and checks it; `{"__value__": x}` stands for x, lists included. */
function checkConstant(
  slot: Slot,
  inputs: Record<string, Json>,
  validate: ValidateSpec | undefined,
): PromptError | undefined {
  const { name } = slot;
  const converted = convertConstant(slot, (inputs[name] = unwrap(inputs[name])));
  if ('error' in converted) return converted.error;
  inputs[name] = converted.value;
  const named = validate?.inputs === 'all' || validate?.inputs.includes(name);
  return named === true ? undefined : checkRange(slot, converted.value);
}

const unwrap = (value: Json): Json =>
  isObject(value) && Object.hasOwn(value, '__value__') ? value.__value__ : value;

/** The node's own check: one error per input it names, as ComfyUI reports it. */
function* customErrors(
  context: ValidateContext,
  definition: NodeDefinition,
  nodeId: string,
  validate: ValidateSpec,
  receivedTypes: Readonly<Record<string, WireType>>,
): Generator<Step, PromptError[], unknown> {
  const all = gatherInputs(definition, context.prompt[nodeId], nodeId, { constants: 'typed' });
  const named: Slices = {};
  for (const [name, slice] of Object.entries(all.slices)) {
    if (validate.inputs === 'all' || validate.inputs.includes(name)) named[name] = slice;
  }
  const types = Object.fromEntries(
    Object.entries(receivedTypes).map(([name, type]) => [name, pythonStr(type)]),
  );
  const names = [...Object.keys(named), ...(validate.inputTypes === true ? ['input_types'] : [])];
  const errors: PromptError[][] = names.map(() => []);
  const nameless: PromptError[] = [];

  for (const { inputs, blocker } of callsOf(definition, named)) {
    if (blocker !== undefined) continue;
    const asked = validate.check(inputs, types, context.source);
    const answer: unknown =
      asked instanceof Promise ? yield { kind: 'answer', answer: asked } : asked;
    if (answer === true) continue;
    names.forEach((name, i) => errors[i].push(customValidationFailed(name, answer)));
    if (names.length === 0) nameless.push(customValidationFailed(undefined, answer));
  }
  return [...errors.flat(), ...nameless];
}

function* inDeclaredOrder(
  declared: ReturnType<typeof effectiveInputs>,
): Generator<[string, Slot['spec']]> {
  const entries = Object.entries(declared);
  for (const entry of entries) if (!entry[1].optional) yield entry;
  for (const entry of entries) if (entry[1].optional) yield entry;
}

function inputsOf(prompt: Prompt, nodeId: string): Record<string, Json> {
  const node: unknown = prompt[nodeId];
  if (!isObject(node) || !Object.hasOwn(node, 'inputs')) {
    throw new PythonError('KeyError', pythonRepr('inputs'));
  }
  const inputs: unknown = node.inputs;
  if (!isObject(inputs)) {
    throw new PythonError(
      'TypeError',
      `inputs of node ${nodeId} must be a dict, not '${pythonTypeName(inputs)}'`,
    );
  }
  return inputs;
}

const isObject = (value: unknown): value is Record<string, Json> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null);

/** The type of the output a link names; fails as indexing Python's dict and tuple would. */
function outputType(context: ValidateContext, [nodeId, slot]: [Json, Json]): WireType {
  if (typeof nodeId !== 'string' || !Object.hasOwn(context.prompt, nodeId)) {
    throw new PythonError('KeyError', pythonRepr(nodeId));
  }
  const { outputs } = context.definitionOf(nodeId);
  if (typeof slot === 'boolean') return outputType(context, [nodeId, Number(slot)]);
  if (typeof slot !== 'bigint' && (typeof slot !== 'number' || !Number.isInteger(slot))) {
    throw new PythonError(
      'TypeError',
      `tuple indices must be integers or slices, not ${pythonTypeName(slot)}`,
    );
  }
  const output = outputs.at(Number(slot));
  if (output === undefined) throw new PythonError('IndexError', 'tuple index out of range');
  return output.type;
}

const requiredInputMissing = (name: string): PromptError => ({
  type: 'required_input_missing',
  message: 'Required input is missing',
  details: name.slice(name.lastIndexOf('.') + 1),
  extra_info: { input_name: name },
});

const invalidDynamicInput = ([name, text]: DynamicProblem): PromptError => ({
  type: 'invalid_dynamic_input',
  message: 'Invalid dynamic input',
  details: text,
  extra_info: { input_name: name },
});

const badLinkedInput = (slot: Slot, value: Json): PromptError => ({
  type: 'bad_linked_input',
  message: 'Bad linked input, must be a length-2 list of [node_id, slot_index]',
  details: slot.name,
  extra_info: {
    input_name: slot.name,
    input_config: inputConfig(slot),
    received_value: value,
  },
});

const returnTypeMismatch = (
  slot: Slot,
  received: WireType,
  expected: WireType,
  link: Json,
): PromptError => ({
  type: 'return_type_mismatch',
  message: 'Return type mismatch between linked nodes',
  details: `${slot.name}, received_type(${pythonStr(received)}) mismatch input_type(${pythonStr(expected)})`,
  extra_info: {
    input_name: slot.name,
    input_config: inputConfig(slot),
    received_type: received,
    linked_node: link,
  },
});

const innerException = (slot: Slot, link: Json, error: unknown): PromptError => ({
  type: 'exception_during_inner_validation',
  message: 'Exception when validating inner node',
  details: messageOf(error),
  extra_info: {
    input_name: slot.name,
    input_config: inputConfig(slot),
    exception_message: messageOf(error),
    exception_type: pythonTypeOf(error),
    traceback: tracebackOf(error),
    linked_node: link,
  },
});

const customValidationFailed = (name: string | undefined, answer: unknown): PromptError => {
  const text = answer === false ? undefined : pythonStr(answer);
  return {
    type: 'custom_validation_failed',
    message: 'Custom validation failed for node',
    details: [name, text].filter((part) => part !== undefined).join(' - '),
    extra_info: name === undefined ? {} : { input_name: name },
  };
};
