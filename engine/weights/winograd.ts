/**
 * Winograd's minimal filtering F(4 x 4, 3 x 3) (Lavin and Gray, "Fast Algorithms for Convolutional
 * Neural Networks", 2016): 16 outputs of a 3 x 3 filter from 36 products instead of 144. Along one
 * axis y = A((G g) * (B d)) for a filter g of 3, inputs d of 6 and outputs y of 4; in two dimensions
 * every matrix works on rows and columns.
 */

/** Inputs: [6, 6]. */
const B = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
];

/** Outputs: [4, 6]. */
const A = [
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 0],
  [0, 1, 1, 4, 4, 0],
  [0, 1, -1, 8, -8, 1],
];

/** A matrix on rows and columns at once: its Kronecker product with itself. */
const onBothAxes = (m: readonly (readonly number[])[]): number[] =>
  m.flatMap((row) => m.flatMap((other) => row.flatMap((a) => other.map((b) => a * b))));

/** Outputs along each axis that are computed together. */
export const winogradTile = 4;
/** Inputs along each axis that they depend on. */
export const winogradPatch = 6;
/** Products for each tile, filter and channel. */
export const winogradPlanes = winogradPatch ** 2;

/** [36, 36]: a patch of inputs to planes. */
export const inputTransform: readonly number[] = onBothAxes(B);
/** [16, 36]: planes to a tile of outputs. */
export const outputTransform: readonly number[] = onBothAxes(A);
