/** A value from JSON as text for display: strings as they are, nothing as '', the rest as JSON. */
export function textOf(value: unknown, otherwise = ''): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return otherwise;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') {
    return value.toString();
  }
  return JSON.stringify(value) ?? otherwise;
}

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
