/**
 * The largest singular values and vectors of a matrix by randomised subspace iteration (Halko,
 * Martinsson & Tropp 2011, "Finding structure with randomness", algorithms 4.4 and 5.1).
 */

export interface TruncatedSvd {
  /** U·S: [rows, rank]. */
  readonly left: Float32Array;
  /** Vᵀ: [rank, columns]; rows of singular values that are 0 are 0. */
  readonly right: Float32Array;
}

/** Products with a matrix A [rows, columns], where the time goes. */
export interface Products {
  /** A·x for each x. */
  readonly times: (xs: readonly Float64Array[]) => Promise<Float64Array[]>;
  /** Aᵀ·y for each y. */
  readonly timesTransposed: (ys: readonly Float64Array[]) => Promise<Float64Array[]>;
}

/** Directions beyond the rank, so that the last ones that count are found well. */
const oversampling = 10;
/** Each sharpens the spectrum; four are enough for flat ones. */
const iterations = 4;

/**
 * A ≈ left · right, the best approximation of that rank for a row-major matrix [rows, columns]. The same
 * matrix gives the same numbers. `rank` is at most the smaller side. `products` may be faster ones of `a`.
 */
export async function truncatedSvd(
  a: Float32Array,
  [rows, columns]: readonly [rows: number, columns: number],
  rank: number,
  { times, timesTransposed }: Products = hostProducts(a, [rows, columns]),
): Promise<TruncatedSvd> {
  if (a.every((value) => value === 0)) {
    return { left: new Float32Array(rows * rank), right: new Float32Array(rank * columns) };
  }
  const count = Math.min(rank + oversampling, rows, columns);
  const next = gaussian();
  let across: Float64Array[] = vectors(count, columns).map((v) => v.map(next));
  let down: Float64Array[] = orthonormal(await times(across));
  for (let i = 0; i < iterations; i++) {
    across = orthonormal(await timesTransposed(down));
    down = orthonormal(await times(across));
  }
  // A ≈ Q·B with B = Qᵀ·A, whose few rows have the singular values of A
  const b = await timesTransposed(down);
  const { values, rotations } = symmetricEigen(b.map((x) => b.map((y) => dot(x, y))));
  const order = values.map((_, i) => i).sort((i, j) => values[j] - values[i]);
  const left = new Float32Array(rows * rank);
  const right = new Float32Array(rank * columns);
  order.slice(0, rank).forEach((which, r) => {
    const size = Math.sqrt(Math.max(0, values[which]));
    if (size === 0) return;
    for (let j = 0; j < count; j++) {
      const weight = rotations[j][which];
      for (let i = 0; i < rows; i++) left[i * rank + r] += size * weight * down[j][i];
      for (let i = 0; i < columns; i++) right[r * columns + i] += (weight / size) * b[j][i];
    }
  });
  return { left, right };
}

const vectors = (count: number, length: number): Float64Array[] =>
  Array.from({ length: count }, () => new Float64Array(length));

const hostProducts = (
  a: Float32Array,
  [rows, columns]: readonly [rows: number, columns: number],
): Products => ({
  times: async (xs) => times(a, xs, rows),
  timesTransposed: async (ys) => timesTransposed(a, ys, columns),
});

function times(a: Float32Array, xs: readonly Float64Array[], rows: number): Float64Array[] {
  const out = vectors(xs.length, rows);
  const columns = xs[0].length;
  for (let i = 0; i < rows; i++) {
    const row = a.subarray(i * columns, (i + 1) * columns);
    for (let j = 0; j < xs.length; j++) out[j][i] = dot(row, xs[j]);
  }
  return out;
}

function timesTransposed(
  a: Float32Array,
  ys: readonly Float64Array[],
  columns: number,
): Float64Array[] {
  const out = vectors(ys.length, columns);
  const rows = ys[0].length;
  for (let i = 0; i < rows; i++) {
    const row = a.subarray(i * columns, (i + 1) * columns);
    for (let j = 0; j < ys.length; j++) {
      const [factor, sum] = [ys[j][i], out[j]];
      for (let c = 0; c < columns; c++) sum[c] += factor * row[c];
    }
  }
  return out;
}

function dot(x: Float32Array | Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}

/** Gram-Schmidt, twice, in place; vectors that depend on those before become 0. */
function orthonormal(xs: Float64Array[]): Float64Array[] {
  xs.forEach((x, i) => {
    const before = Math.sqrt(dot(x, x));
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const share = dot(x, xs[j]);
        for (let k = 0; k < x.length; k++) x[k] -= share * xs[j][k];
      }
    }
    const length = Math.sqrt(dot(x, x));
    const scale = length > 1e-12 * before ? 1 / length : 0;
    for (let k = 0; k < x.length; k++) x[k] *= scale;
  });
  return xs;
}

/** Eigenvalues and, as columns of `rotations`, eigenvectors of a symmetric matrix (Jacobi 1846). */
function symmetricEigen(matrix: readonly (readonly number[])[]): {
  values: number[];
  rotations: number[][];
} {
  const a = matrix.map((row) => [...row]);
  const n = a.length;
  const v = a.map((_, i) => a.map((_, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < 30; sweep++) {
    let turned = false;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(a[p][q]) <= 1e-15 * Math.sqrt(Math.abs(a[p][p] * a[q][q]))) continue;
        turned = true;
        const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1);
        const s = t * c;
        for (let k = 0; k < n; k++) rotate(a[k], p, q, c, s);
        for (let k = 0; k < n; k++) {
          const [x, y] = [a[p][k], a[q][k]];
          a[p][k] = c * x - s * y;
          a[q][k] = s * x + c * y;
        }
        for (let k = 0; k < n; k++) rotate(v[k], p, q, c, s);
      }
    }
    if (!turned) break;
  }
  return { values: a.map((row, i) => row[i]), rotations: v };
}

function rotate(row: number[], p: number, q: number, c: number, s: number): void {
  const [x, y] = [row[p], row[q]];
  row[p] = c * x - s * y;
  row[q] = s * x + c * y;
}

/** Normal numbers from a small generator with a fixed seed (mulberry32, Box & Muller 1958). */
function gaussian(): () => number {
  let state = 0x9e3779b9;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
