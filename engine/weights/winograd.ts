/**
 * Winograd's minimal filtering F(m x m, 3 x 3) (Lavin and Gray, "Fast Algorithms for Convolutional
 * Neural Networks", 2016): m x m outputs of a 3 x 3 filter from (m + 2)^2 products instead of 9 m^2. Along
 * one axis y = A((G g) * (B d)) for a filter g of 3, inputs d of m + 2 and outputs y of m; in two
 * dimensions every matrix works on rows and columns.
 */

/** Outputs along each axis that are computed together. */
export type WinogradTile = 2 | 4;

export interface WinogradForm {
  readonly tile: WinogradTile;
  /** Inputs along each axis that a tile depends on. */
  readonly patch: number;
  /** Products for each tile, filter and channel: the patch squared. */
  readonly planes: number;
  /** B on both axes, [planes, planes]: a patch of inputs to planes. */
  readonly inputTransform: readonly number[];
  /** A on both axes, [tile squared, planes]: planes to a tile of outputs. */
  readonly outputTransform: readonly number[];
}

type Matrix = readonly (readonly number[])[];

/** A matrix on rows and columns at once: its Kronecker product with itself. */
const onBothAxes = (m: Matrix): number[] =>
  m.flatMap((row) => m.flatMap((other) => row.flatMap((a) => other.map((b) => a * b))));

function form(tile: WinogradTile, inputs: Matrix, outputs: Matrix): WinogradForm {
  const patch = tile + 2;
  return {
    tile,
    patch,
    planes: patch ** 2,
    inputTransform: onBothAxes(inputs),
    outputTransform: onBothAxes(outputs),
  };
}

/** The forms by their tiles; what G is stands with the kernels that apply it (kernels.ts). */
export const winogradForms: Readonly<Record<WinogradTile, WinogradForm>> = {
  2: form(
    2,
    [
      [1, 0, -1, 0],
      [0, 1, 1, 0],
      [0, -1, 1, 0],
      [0, 1, 0, -1],
    ],
    [
      [1, 1, 1, 0],
      [0, 1, -1, -1],
    ],
  ),
  4: form(
    4,
    [
      [4, 0, -5, 0, 1, 0],
      [0, -4, -4, 1, 1, 0],
      [0, 4, -4, -1, 1, 0],
      [0, -2, -1, 2, 1, 0],
      [0, 2, -1, -2, 1, 0],
      [0, 4, 0, -5, 0, 1],
    ],
    [
      [1, 1, 1, 1, 1, 0],
      [0, 1, -1, 2, -2, 0],
      [0, 1, 1, 4, 4, 0],
      [0, 1, -1, 8, -8, 1],
    ],
  ),
};
