/** Surfaces of triangles (MESH), and how they are made of blocks of space (VOXEL). */
import type { NDArray } from '../array/nd.ts';

/** VOXEL: how full space is [b, depth, height, width]; what is inside is above a threshold. */
export interface Voxels {
  readonly grid: NDArray;
}

export interface Surface {
  /** x, y, z of each corner, within -1..1. */
  readonly vertices: Float32Array;
  /** Three corners of each triangle. */
  readonly faces: Uint32Array;
}

/** MESH: one surface for each item of the batch. */
export interface Mesh {
  readonly surfaces: readonly Surface[];
}

/** A surface of one item of the grid. */
export type ToSurface = (grid: NDArray, threshold: number) => Surface;

type Place = readonly [z: number, y: number, x: number];

/** Each neighbour of a block, and the corners of the side between them. */
const SIDES: readonly (readonly [Place, readonly Place[]])[] = [
  [[0, 0, 1], corners('001 011 111 101')],
  [[0, 0, -1], corners('000 100 110 010')],
  [[0, 1, 0], corners('010 110 111 011')],
  [[0, -1, 0], corners('000 001 101 100')],
  [[1, 0, 0], corners('101 111 110 100')],
  [[-1, 0, 0], corners('010 011 001 000')],
];

/** Places written as `zyx`. */
function corners(text: string): Place[] {
  return text.split(' ').map((place) => [...place].map(Number) as unknown as Place);
}

/** Where the cell of this number lies in a grid. */
const placeOf = (cell: number, [, h, w]: readonly number[]): Place => [
  Math.floor(cell / (h * w)),
  Math.floor(cell / w) % h,
  cell % w,
];

/** Corners counted in cells, put within -1..1 and given as x, y, z. */
function normalised(cells: readonly number[], [d, h, w]: readonly number[]): Float32Array {
  const half = Math.max(d, h, w) / 2;
  const out = new Float32Array(cells.length);
  for (let i = 0; i < out.length; i += 3) {
    for (let k = 0; k < 3; k++) out[i + k] = (cells[i + 2 - k] - half) / half;
  }
  return out;
}

/** The sides of the blocks that are inside and have none beside them, two triangles each. */
export const blockSurface: ToSurface = ({ data, shape }, threshold) => {
  const [d, h, w] = shape;
  const isInside = (z: number, y: number, x: number): boolean =>
    z >= 0 && y >= 0 && x >= 0 && z < d && y < h && x < w && data[(z * h + y) * w + x] > threshold;
  const vertices: number[] = [];
  const faces: number[] = [];
  for (const [[dz, dy, dx], side] of SIDES) {
    const first = vertices.length / 3;
    for (let z = 0; z < d; z++) {
      for (let y = 0; y < h; y++) {
        for (let x = 0; x < w; x++) {
          if (!isInside(z, y, x) || isInside(z + dz, y + dy, x + dx)) continue;
          for (const [cz, cy, cx] of side) vertices.push(z + cz, y + cy, x + cx);
        }
      }
    }
    const last = vertices.length / 3;
    for (let v = first; v < last; v += 4) faces.push(v, v + 1, v + 2);
    for (let v = first; v < last; v += 4) faces.push(v, v + 2, v + 3);
  }
  return { vertices: normalised(vertices, shape), faces: Uint32Array.from(faces) };
};

/** Corners of a cell, and its edges between them. */
const CORNERS = corners('000 100 010 110 001 101 011 111');
const EDGES = ['01', '02', '04', '13', '15', '23', '26', '37', '45', '46', '57', '67'].map((e) =>
  [...e].map(Number),
);
/** Pairs of directions that span a square of four cells, and across it (axis and sign). */
const SQUARES = [
  { i: 0, j: 1, axis: 2, sign: 1 },
  { i: 0, j: 2, axis: 1, sign: -1 },
  { i: 1, j: 2, axis: 0, sign: 1 },
] as const;

/**
 * Surface nets (Gibson 1998): a corner in every cell that the surface goes through, in the middle of where it
 * crosses the cell's edges, and two triangles for every square of such cells.
 */
export const netSurface: ToSurface = (grid, threshold) => {
  const [d, h, w] = grid.shape;
  const { cells, values } = surfaceCells(grid, threshold);
  const count = cells.length;
  const isIn = (cell: number, corner: number): boolean => values[cell * 8 + corner] > threshold;
  const sums = new Float64Array(count * 3);
  const crossings = new Uint8Array(count);
  /** Numbers of cells' corners in the order in which edges meet the surface first. */
  const number = new Int32Array(count).fill(-1);
  const order: number[] = [];
  for (const [a, b] of EDGES) {
    for (let c = 0; c < count; c++) {
      if (isIn(c, a) === isIn(c, b)) continue;
      const [from, to] = [values[c * 8 + a], values[c * 8 + b]];
      const t = (threshold - from) / (to - from);
      for (let k = 0; k < 3; k++) {
        sums[c * 3 + k] += CORNERS[a][k] + t * (CORNERS[b][k] - CORNERS[a][k]);
      }
      crossings[c]++;
      if (number[c] < 0) number[c] = order.push(c) - 1;
    }
  }
  const vertices = order.flatMap((c) =>
    placeOf(cells[c], grid.shape).map((v, k) => v + sums[c * 3 + k] / crossings[c]),
  );
  const byCell = new Int32Array(d * h * w).fill(-1);
  cells.forEach((at, c) => (byCell[at] = number[c]));
  const faces = squares({ cells, byCell, shape: grid.shape }, (c, axis) => slope(isIn, c, axis));
  return { vertices: normalised(vertices, grid.shape), faces: Uint32Array.from(faces) };
};

/** Cells with corners on both sides of the surface, and the values there, eight a cell. Outside is empty. */
function surfaceCells({ data, shape }: NDArray, threshold: number) {
  const [d, h, w] = shape;
  // Cells count from the empty layer before the grid, as in the reference; the last layer has none.
  const valueAt = (z: number, y: number, x: number): number =>
    z > 0 && y > 0 && x > 0 ? data[((z - 1) * h + y - 1) * w + x - 1] : 0;
  const cells: number[] = [];
  const values: number[] = [];
  const own = new Float64Array(8);
  for (let z = 0; z < d; z++) {
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        let inside = 0;
        for (let k = 0; k < 8; k++) {
          const [cz, cy, cx] = CORNERS[k];
          own[k] = valueAt(z + cz, y + cy, x + cx);
          if (own[k] > threshold) inside++;
        }
        if (inside === 0 || inside === 8) continue;
        cells.push((z * h + y) * w + x);
        values.push(...own);
      }
    }
  }
  return { cells, values };
}

/** Along one axis, the mean place of a cell's corners inside less that of those outside. */
function slope(
  isIn: (cell: number, corner: number) => boolean,
  cell: number,
  axis: number,
): number {
  let [inside, outside, sumIn, sumOut] = [0, 0, 0, 0];
  CORNERS.forEach((corner, k) => {
    if (isIn(cell, k)) [inside, sumIn] = [inside + 1, sumIn + corner[axis]];
    else [outside, sumOut] = [outside + 1, sumOut + corner[axis]];
  });
  return sumIn / inside - sumOut / outside;
}

/** Triangles between cells that lie in a square, the same way round as the surface. */
function squares(
  net: {
    readonly cells: readonly number[];
    readonly byCell: Int32Array;
    readonly shape: readonly number[];
  },
  slopeOf: (cell: number, axis: number) => number,
): number[] {
  const { cells, byCell, shape } = net;
  const [, h, w] = shape;
  const steps = [h * w, w, 1];
  const faces: number[] = [];
  for (const { i, j, axis, sign } of SQUARES) {
    cells.forEach((at, c) => {
      const place = placeOf(at, shape);
      if (place[i] + 1 >= shape[i] || place[j] + 1 >= shape[j]) return;
      const [v0, v1, v2, v3] = [at, at + steps[i], at + steps[j], at + steps[i] + steps[j]].map(
        (cell) => byCell[cell],
      );
      if (Math.min(v0, v1, v2, v3) < 0) return;
      const outwards = sign * slopeOf(c, axis) > 0;
      faces.push(...(outwards ? [v0, v1, v3, v0, v3, v2] : [v0, v3, v1, v0, v2, v3]));
    });
  }
  return faces;
}
