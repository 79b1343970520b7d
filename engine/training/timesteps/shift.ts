/** How a flow's times are moved towards more noise, for larger pictures more so (Esser et al. 2024). */

/** A family's shift: a fixed factor, or one that grows with the number of tokens. */
export type FlowShift = { readonly shift: number } | { readonly dynamic: DynamicShift };

/** mu at two numbers of tokens, and in a line between and beyond. */
export interface DynamicShift {
  readonly baseTokens: number;
  readonly maxTokens: number;
  readonly baseShift: number;
  readonly maxShift: number;
}

/** Flux's. */
export const fluxShift = {
  dynamic: { baseTokens: 256, maxTokens: 4096, baseShift: 0.5, maxShift: 1.15 },
} as const satisfies FlowShift;

/** mu of a picture of so many tokens. */
export function muOf(
  { baseTokens, maxTokens, baseShift, maxShift }: DynamicShift,
  tokens: number,
): number {
  const slope = (maxShift - baseShift) / (maxTokens - baseTokens);
  return tokens * slope + (baseShift - slope * baseTokens);
}

/** a·t / (1 + (a - 1)·t) */
export const shiftTime = (a: number, t: number): number => (a * t) / (1 + (a - 1) * t);

/** The same with the factor e^mu, as Flux writes it. */
export const shiftTimeByMu = (mu: number, t: number): number =>
  Math.exp(mu) / (Math.exp(mu) + (1 / t - 1));
