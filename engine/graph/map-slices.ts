/** ComfyUI's list mapping: a node is called once per element of its longest input list. */
import { ExecutionBlocker } from './definition.ts';
import type { NodeDefinition } from './definition.ts';
import type { Slices } from './gather-inputs.ts';
import { PythonError } from '../python/error.ts';

/** One call: its arguments and which call it is. */
export interface Call {
  readonly inputs: Record<string, unknown>;
  readonly index: number;
  /** The first blocker among the arguments; such a call is not made. */
  readonly blocker: ExecutionBlocker | undefined;
}

/**
 * The calls a node gets. Shorter lists repeat their last element; INPUT_IS_LIST nodes get one call
 * with whole lists; no inputs, or only empty lists, give one call without arguments. Throws
 * IndexError when one list is empty and another is not.
 */
export function callsOf(definition: NodeDefinition, slices: Slices): Call[] {
  const names = Object.keys(slices);
  if (definition.inputIsList === true) {
    const blocker = names.flatMap((name) => slices[name]).find(isBlocker);
    return [{ inputs: { ...slices }, index: 0, blocker }];
  }
  let count = 0;
  for (const name of names) count = Math.max(count, slices[name].length);
  if (count === 0) return [{ inputs: {}, index: 0, blocker: undefined }];

  const calls: Call[] = [];
  for (let index = 0; index < count; index++) {
    const inputs: Record<string, unknown> = {};
    let blocker: ExecutionBlocker | undefined;
    for (const name of names) {
      const list = slices[name];
      if (list.length === 0) throw new PythonError('IndexError', 'list index out of range');
      const value = list[Math.min(index, list.length - 1)];
      if (blocker === undefined && isBlocker(value)) blocker = value;
      inputs[name] = value;
    }
    calls.push({ inputs, index, blocker });
  }
  return calls;
}

/** Whether a value blocks what depends on it. */
export const isBlocker = (value: unknown): value is ExecutionBlocker =>
  value instanceof ExecutionBlocker;
