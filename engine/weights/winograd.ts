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

/**
 * Filters [o, i, 3, 3] as planes [36, o, i]; `out` is as long. The sums are made in double precision.
 * They are written out, with what two rows of G share in common: a gigabyte of filters passes here
 * whenever a large model is opened.
 */
export function winogradFilters(
  values: Float32Array,
  out: Float32Array = new Float32Array((values.length / 9) * winogradPlanes),
): Float32Array {
  const count = values.length / 9;
  const columns = new Float64Array(18); // [3, 6]: G on each column of a filter
  for (let filter = 0; filter < count; filter++) {
    for (let x = 0, at = filter * 9; x < 3; x++, at++) {
      transform(values[at], values[at + 3], values[at + 6], columns, x * 6, 1);
    }
    for (let a = 0, to = filter; a < 6; a++, to += 6 * count) {
      transform(columns[a], columns[a + 6], columns[a + 12], out, to, count);
    }
  }
  return out;
}

/**
 * G g for three numbers, put into `out` from `to` on in steps of `step`. G is [6, 3]: 1/4 (1 0 0),
 * -1/6 (1 1 1), -1/6 (1 -1 1), 1/24 (1 2 4), 1/24 (1 -2 4), (0 0 1).
 */
function transform(
  g0: number,
  g1: number,
  g2: number,
  out: Float32Array | Float64Array,
  to: number,
  step: number,
): void {
  const even = (g0 + g2) * (-1 / 6);
  const odd = g1 * (-1 / 6);
  const wideEven = g0 * (1 / 24) + g2 * (1 / 6);
  const wideOdd = g1 * (1 / 12);
  out[to] = g0 * 0.25;
  out[to + step] = even + odd;
  out[to + 2 * step] = even - odd;
  out[to + 3 * step] = wideEven + wideOdd;
  out[to + 4 * step] = wideEven - wideOdd;
  out[to + 5 * step] = g2;
}
