/** What the inputs of a call must be before its node is called. */
import type { InputSpec, NodeDefinition } from './definition.ts';
import { effectiveInputs } from './dynamic-inputs.ts';
import { isLazy, isRawLink } from './gather-inputs.ts';
import { PythonError } from '../python/error.ts';
import { pythonTypeName } from '../python/repr.ts';

/**
 * The arguments of a call without the optional ones that are None; throws PythonError (TypeError) that
 * names the input whose value the node cannot take. Lazy inputs may be missing, links stay links.
 */
export function checkNeeds(
  definition: NodeDefinition,
  inputs: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const checked: Record<string, unknown> = { ...inputs };
  for (const [name, spec] of Object.entries(effectiveInputs(definition, inputs))) {
    if (spec.needs === undefined || isLazy(spec) || isRawLink(spec)) continue;
    if (!Object.hasOwn(inputs, name)) continue;
    const value = inputs[name];
    if (spec.optional && isNone(value)) delete checked[name];
    else if (definition.inputIsList === true && Array.isArray(value)) {
      for (const item of value) check(name, spec, item);
    } else check(name, spec, value);
  }
  return checked;
}

function check(name: string, { type, needs, nullable }: InputSpec, value: unknown): void {
  if (isNone(value) ? nullable === true : hasNeeds(needs, value)) return;
  const got = isNone(value) ? 'None' : `a value of type '${pythonTypeName(value)}'`;
  throw new PythonError(
    'TypeError',
    `input '${name}': expected a value of type ${type}, got ${got}`,
  );
}

function hasNeeds(needs: InputSpec['needs'], value: unknown): boolean {
  if (needs === undefined || needs === 'value') return true;
  if (needs === 'list') return Array.isArray(value);
  return typeof value === 'object' && value !== null && needs.every((member) => member in value);
}

const isNone = (value: unknown): boolean => value === null || value === undefined;
