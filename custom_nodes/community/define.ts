/** What every node of the pack says the same way. */
import { inModule, socket } from 'noodle/node';
import type { InputSpec } from 'noodle/node';

export const MODULE = 'custom_nodes.community';

/** `defineNode` with the pack's module and a category. */
export const inCategory = (category: string) => inModule(MODULE, 'v1', { category });

/** The largest side that widgets offer (ComfyUI's MAX_RESOLUTION). */
export const MAX_RESOLUTION = 16384;

/** 2^64 − 1, the bound of number widgets in both directions. */
export const LIMIT = 2n ** 64n - 1n;

/** Any value (`AnyType("*")`). */
export const anything = (options?: Readonly<Record<string, unknown>>): InputSpec<unknown, false> =>
  socket('*', options);

/** The inputs that a node which accepts all was given under `prefix1`, `prefix2` …, by number. */
export function numbered(
  inputs: Readonly<Record<string, unknown>>,
  prefix: string,
): Map<number, unknown> {
  const found = new Map<number, unknown>();
  for (const [name, value] of Object.entries(inputs)) {
    const digits = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    if (/^\d+$/.test(digits)) found.set(Number(digits), value);
  }
  return found;
}
