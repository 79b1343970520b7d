/** What JSON from outside is: records and lists. */

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value when it is a list, else none. */
export const asArray = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
