/** Shapes of the layers that tiny networks are made of. */

export type Shapes = Readonly<Record<string, readonly number[]>>;

export const joined = (parts: readonly Shapes[]): Shapes =>
  Object.fromEntries(parts.flatMap((part) => Object.entries(part)));

/** A linear layer. */
export const dense = (at: string, out: number, from: number): Shapes => ({
  [`${at}.weight`]: [out, from],
  [`${at}.bias`]: [out],
});

/** A norm with weight and bias. */
export const norm = (at: string, width: number): Shapes => ({
  [`${at}.weight`]: [width],
  [`${at}.bias`]: [width],
});
