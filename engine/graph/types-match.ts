/** Which output may feed which input. */

/** A type: a name, a union `A,B`, or (legacy combos) the list of choices itself. */
export type WireType = string | readonly unknown[];

const WILDCARDS = ['*', 'COMFY_MATCHTYPE_V3'];

/**
 * Whether an output of type `received` may be linked to an input of type `expected`. `*` and
 * match types fit everything, also inside a union; unions fit when they overlap (`strict`: when
 * `expected` holds all of `received`). A list of choices fits an equal list or a COMBO.
 */
export function typesMatch(
  received: WireType,
  expected: WireType,
  { strict = false }: { readonly strict?: boolean } = {},
): boolean {
  if (typeof received !== 'string' || typeof expected !== 'string') {
    if (isWildcard(received) || isWildcard(expected)) return true;
    if (typeof received === 'string') return false;
    return typeof expected === 'string' ? expected === 'COMBO' : sameList(received, expected);
  }
  if (received === expected) return true;
  const from = members(received);
  const to = members(expected);
  if ([...from, ...to].some(isWildcard)) return true;
  return strict ? from.every((type) => to.includes(type)) : from.some((type) => to.includes(type));
}

const isWildcard = (type: WireType): boolean =>
  typeof type === 'string' && WILDCARDS.includes(type);

const members = (type: string): string[] => type.split(',').map((member) => member.trim());

const sameList = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i]);
