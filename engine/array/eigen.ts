/** Eigenvalues of small symmetric matrices. */

export interface Eigen {
  readonly values: readonly number[];
  /** Column k belongs to value k; the columns are orthonormal. */
  readonly vectors: readonly (readonly number[])[];
}

const MOST_SWEEPS = 50;

/** All eigenvalues and vectors of a symmetric matrix by Jacobi's rotations (1846); unsorted. */
export function symmetricEigen(matrix: readonly (readonly number[])[]): Eigen {
  const n = matrix.length;
  const a = matrix.map((row) => [...row]);
  const v = a.map((_, i) => a.map((_, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += a[p][q] ** 2;
    if (off === 0) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, v, p, q);
  }
  return { values: a.map((row, i) => row[i]), vectors: v };
}

/** The rotation in the plane of axes p and q that makes a[p][q] vanish. */
function rotate(a: number[][], v: number[][], p: number, q: number): void {
  if (a[p][q] === 0) return;
  const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  const turn = (rows: number[][], i: number): void => {
    const [x, y] = [rows[i][p], rows[i][q]];
    rows[i][p] = c * x - s * y;
    rows[i][q] = s * x + c * y;
  };
  for (let i = 0; i < a.length; i++) turn(a, i);
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[p][i], a[q][i]];
    a[p][i] = c * x - s * y;
    a[q][i] = s * x + c * y;
  }
  a[p][q] = a[q][p] = 0;
  for (let i = 0; i < v.length; i++) turn(v, i);
}
