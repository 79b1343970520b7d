/** What the calls of a node returned, brought into one form and merged per output. */
import { ExecutionBlocker } from './definition.ts';
import type { GraphNode, NodeDefinition, NodeOutput } from './definition.ts';
import { isBlocker } from './map-slices.ts';
import { PythonError } from '../python/error.ts';

export type Ui = Readonly<Record<string, readonly unknown[]>>;
type Graph = Readonly<Record<string, GraphNode>>;

/** One call's values, and the nodes some of them come from. */
export interface CallResult {
  readonly values: readonly unknown[];
  readonly graph?: Graph;
}

export interface NodeReturns {
  readonly calls: readonly CallResult[];
  readonly ui: Ui;
  readonly expands: boolean;
}

/** Reads the return forms: list, blocker, or `{ result, ui, expand }`; throws TypeError on others. */
export function readReturns(definition: NodeDefinition, returned: readonly unknown[]): NodeReturns {
  const calls: CallResult[] = [];
  const uis: Ui[] = [];
  let expands = false;
  for (const value of returned) {
    if (isBlocker(value) || Array.isArray(value)) {
      calls.push({ values: valuesOf(definition, value) });
      continue;
    }
    const output = asOutput(definition, value);
    if (output.ui != null) uis.push(output.ui);
    if (output.expand != null) {
      expands = true;
      calls.push({ values: valuesOf(definition, output.result ?? []), graph: output.expand });
    } else if (output.result != null) {
      calls.push({ values: valuesOf(definition, output.result) });
    }
  }
  return { calls, ui: mergeUi(uis), expands };
}

/**
 * One list per output slot: a value per call, or, where the output is a list, the calls' lists
 * joined (a blocker in such a slot counts as one element).
 */
export function mergeCalls(
  definition: NodeDefinition,
  calls: readonly (readonly unknown[])[],
): unknown[][] {
  const declaresLists = definition.outputs.some((output) => output.list === true);
  const slots = calls.length === 0 ? 0 : calls[0].length;
  const count = declaresLists ? Math.min(slots, definition.outputs.length) : slots;
  const merged: unknown[][] = [];
  for (let slot = 0; slot < count; slot++) {
    const list: unknown[] = [];
    for (const values of calls) {
      if (slot >= values.length) throw new PythonError('IndexError', 'tuple index out of range');
      const value = values[slot];
      if (definition.outputs.at(slot)?.list !== true || isBlocker(value)) list.push(value);
      else for (const item of asList(definition, slot, value)) list.push(item);
    }
    merged.push(list);
  }
  return merged;
}

const valuesOf = (
  definition: NodeDefinition,
  result: readonly unknown[] | ExecutionBlocker,
): readonly unknown[] =>
  result instanceof ExecutionBlocker ? definition.outputs.map(() => result) : result;

function asOutput(definition: NodeDefinition, value: unknown): NodeOutput {
  if (value == null && (definition.outputs.length === 0 || definition.form === 'v3')) return {};
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) return value;
  throw new TypeError(
    `${definition.name} returned ${value === undefined ? 'nothing' : typeof value}: ` +
      'expected a list of outputs or an object with result, ui or expand',
  );
}

function asList(definition: NodeDefinition, slot: number, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError(
    `${definition.name} output ${slot} is declared as a list: expected an array, got ${typeof value}`,
  );
}

/** The ui of several calls: lists are joined, for the keys of the first. */
function mergeUi(uis: readonly Ui[]): Ui {
  if (uis.length <= 1) return uis.at(0) ?? {};
  const merged = Object.keys(uis[0]).map((key) => [key, uis.flatMap((ui) => ui[key] ?? [])]);
  return Object.fromEntries(merged) as Ui;
}
