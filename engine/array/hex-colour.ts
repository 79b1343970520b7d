/** Colours as editors write them. */

/** The 8-bit channels of `#rrggbb` (the `#` may be missing); undefined for anything else. */
export function hexColour(text: string): [r: number, g: number, b: number] | undefined {
  const match = /^#*([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  if (match === null) return undefined;
  const [r, g, b] = match.slice(1).map((digits) => Number.parseInt(digits, 16));
  return [r, g, b];
}
