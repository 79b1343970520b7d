/** `#rrggbb` from what somebody typed (`#rgb` too, with or without the mark); null otherwise. */
export function readHex(text: string): string | null {
  const digits = /^#?([0-9a-f]{6}|[0-9a-f]{3})$/i.exec(text.trim())?.[1].toLowerCase();
  if (digits === undefined) return null;
  return `#${digits.length === 3 ? digits.replace(/./g, '$&$&') : digits}`;
}

/** Reads a stored list of colours as `#rrggbb`; what is none is left out. */
export const readColors = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? (value as unknown[]) : []).flatMap((each) => {
    const hex = typeof each === 'string' ? readHex(each) : null;
    return hex === null ? [] : [hex];
  });
