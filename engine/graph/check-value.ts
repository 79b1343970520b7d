/** Built-in checks of one constant: conversion to its type, min and max, membership of a combo. */
import { Float } from '../workflow/lossless-json.ts';
import type { Json } from '../workflow/lossless-json.ts';
import { coerce } from '../python/coerce.ts';
import type { ChoiceSource, InputSpec, NodeDefinition } from './definition.ts';
import { choicesOf, floats, printInput, wireType } from './object-info.ts';
import { PythonError, messageOf } from '../python/error.ts';
import { pythonRepr, pythonStr, pythonTypeName } from '../python/repr.ts';

/** One entry of `node_errors[id].errors`, or the top-level `error`. */
export interface PromptError {
  readonly type: string;
  readonly message: string;
  readonly details: string;
  readonly extra_info: Readonly<Record<string, unknown>>;
}

type Form = NodeDefinition['form'];

/** An input of a node under validation. */
export interface Slot {
  readonly name: string;
  readonly spec: InputSpec;
  readonly form: Form;
  readonly source: ChoiceSource;
}

/** `[type, options]` as errors carry it. */
export function inputConfig({ spec, form, source }: Slot): unknown[] {
  const [type, options = {}] = printInput(spec, form, source);
  return [type, options];
}

/** The constant converted to the declared type, or the error that says why it cannot be. */
export function convertConstant(slot: Slot, value: Json): { value: Json } | { error: PromptError } {
  const type = wireType(slot.spec, slot.form, slot.source);
  try {
    return { value: coerce(type, value) };
  } catch (error) {
    const reason = messageOf(error);
    return {
      error: {
        type: 'invalid_input_type',
        message: `Failed to convert an input value to a ${pythonStr(type)} value`,
        details: `${slot.name}, ${pythonStr(value)}, ${reason}`,
        extra_info: {
          input_name: slot.name,
          input_config: inputConfig(slot),
          received_value: value,
          exception_message: reason,
        },
      },
    };
  }
}

/** The first rule (min, max, list of choices) a converted constant breaks. */
export function checkRange(slot: Slot, value: Json): PromptError | undefined {
  const { name, spec } = slot;
  const { min, max } = floats(spec.type, spec.options ?? {});
  const failed = (type: string, message: string): PromptError => ({
    type,
    message,
    details: name,
    extra_info: {
      input_name: name,
      input_config: inputConfig(slot),
      received_value: value,
    },
  });
  if (min !== undefined && isLess(value, min, '<', value, min)) {
    return failed(
      'value_smaller_than_min',
      `Value ${pythonStr(value)} smaller than min of ${pythonStr(min)}`,
    );
  }
  if (max !== undefined && isLess(max, value, '>', value, max)) {
    return failed(
      'value_bigger_than_max',
      `Value ${pythonStr(value)} bigger than max of ${pythonStr(max)}`,
    );
  }
  return isListed(spec) ? checkChoice(slot, value) : undefined;
}

/** Whether the server knows all choices: legacy combos, and COMBOs that state their options. */
const isListed = (spec: InputSpec): boolean =>
  spec.type === 'COMBO' &&
  spec.options?.remote_combo === undefined &&
  (spec.choices !== undefined || Array.isArray(spec.options?.options));

/** Lists longer than this are not sent back. */
const LONG_LIST = 20;

function checkChoice(slot: Slot, value: Json): PromptError | undefined {
  const choices = choicesOf(slot.spec, slot.source);
  const many = slot.spec.options?.multiselect === true && Array.isArray(value);
  const wrong = (many ? value : [value]).filter(
    (item) => !choices.some((choice) => pythonEquals(item, choice)),
  );
  if (wrong.length === 0) return undefined;
  const long = choices.length > LONG_LIST;
  const list = long ? `(list of length ${choices.length})` : pythonRepr(choices);
  return {
    type: 'value_not_in_list',
    message: 'Value not in list',
    details: `${slot.name}: ${wrong.map(pythonRepr).join(', ')} not in ${list}`,
    extra_info: {
      input_name: slot.name,
      input_config: long ? null : inputConfig(slot),
      received_value: value,
    },
  };
}

type Numeric = number | bigint;

const numeric = (value: unknown): Numeric | undefined => {
  if (value instanceof Float) return value.value;
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'number' || typeof value === 'bigint' ? value : undefined;
};

/** a < b for numbers; anything else fails as Python's comparison of `left` and `right` does. */
function isLess(a: unknown, b: unknown, sign: string, left: unknown, right: unknown): boolean {
  const [x, y] = [numeric(a), numeric(b)];
  if (x !== undefined && y !== undefined) return x < y;
  throw new PythonError(
    'TypeError',
    `'${sign}' not supported between instances of ` +
      `'${pythonTypeName(left)}' and '${pythonTypeName(right)}'`,
  );
}

/** Python's `==` of scalars: 1 == 1.0 == True. */
function pythonEquals(a: unknown, b: unknown): boolean {
  const [x, y] = [numeric(a), numeric(b)];
  // eslint-disable-next-line eqeqeq -- a bigint equals the number of the same value
  return x !== undefined && y !== undefined ? x == y : a === b;
}
