/** The opaque place in a list at which the next page goes on. */
import { NoodleError } from '../errors.ts';

/** What a list of assets can be ordered by. */
export const SORTS = ['name', 'created_at', 'updated_at', 'size', 'last_access_time'] as const;
export type Sort = (typeof SORTS)[number];
export type Order = 'asc' | 'desc';

export interface Cursor {
  readonly sort: Sort;
  readonly order: Order;
  /** The last row's value of the sorted column, and its database id for equal ones. */
  readonly value: string | number;
  readonly id: number;
}

/** Longer than any that `writeCursor` makes: names have 512 characters at most. */
const LONGEST = 8192;

/** The cursor as text for an address. */
export function writeCursor({ sort, order, value, id }: Cursor): string {
  return Buffer.from(JSON.stringify([sort, order, value, id])).toString('base64url');
}

/** Reads a cursor; throws INVALID_CURSOR unless it was made for the same order of the same list. */
export function readCursor(text: string, sort: Sort, order: Order): Cursor {
  const refuse = (reason: string): never => {
    throw new NoodleError('INVALID_CURSOR', { reason });
  };
  if (sort === 'last_access_time') return refuse(`sort=${sort} has pages by offset only`);
  if (text.length > LONGEST) return refuse('too long');
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return refuse('not a cursor');
  }
  if (!Array.isArray(parts) || parts.length !== 4) return refuse('not a cursor');
  const [forSort, forOrder, value, id] = parts as unknown[];
  if (forSort !== sort || forOrder !== order) {
    return refuse(`made for another list than sort=${sort}&order=${order}`);
  }
  const type = sort === 'name' ? 'string' : 'number';
  if (typeof value !== type || !Number.isSafeInteger(id)) return refuse('not a cursor');
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return refuse('out of range');
  return { sort, order, value: value as string | number, id: id as number };
}
