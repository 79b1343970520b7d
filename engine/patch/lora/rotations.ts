/** Rotations from skew-symmetric matrices, as OFT and BOFT keep them. */
import { type NDArray, sizeOf } from '../../array/nd.ts';
import { matmul, mul, add, sub, permute, reshape, constant, slice } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/**
 * What Q = B - Bᵀ is multiplied by so that its Frobenius norm over all blocks is at most `limit`;
 * 0 sets no limit.
 */
export function cayleyNorm(blocks: NDArray, limit: number): number {
  if (limit <= 0) return 1;
  const n = blocks.shape.at(-1)!;
  let sum = 0;
  for (let i = 0; i < blocks.data.length; i++) sum += skew(blocks.data, i, n) ** 2;
  const norm = Math.sqrt(sum) + 1e-8;
  return norm > limit ? limit / norm : 1;
}

/** (I + Q)(I - Q)⁻¹ of every block, Q = k(B - Bᵀ): orthogonal (Cayley). */
export function cayley(blocks: NDArray, k: number): NDArray {
  const n = blocks.shape.at(-1)!;
  const out = new Float32Array(blocks.data.length);
  for (let start = 0; start < out.length; start += n * n) {
    const plus: number[][] = [];
    const minus: number[][] = [];
    for (let r = 0; r < n; r++) {
      const q = Array.from({ length: n }, (_, c) => k * skew(blocks.data, start + r * n + c, n));
      plus.push(q.map((value, c) => (r === c ? 1 + value : value)));
      minus.push(q.map((value, c) => (r === c ? 1 - value : -value)));
    }
    const inverse = invert(minus);
    for (let r = 0; r < n; r++) {
      for (let c = 0; c < n; c++) {
        let sum = 0;
        for (let i = 0; i < n; i++) sum += plus[r][i] * inverse[i][c];
        out[start + r * n + c] = sum;
      }
    }
  }
  return { data: out, shape: blocks.shape };
}

/** B - Bᵀ at a flat index of blocks of n x n. */
function skew(data: Float32Array, i: number, n: number): number {
  const inBlock = i % (n * n);
  const transposed = i - inBlock + (inBlock % n) * n + Math.floor(inBlock / n);
  return data[i] - data[transposed];
}

/** Gauss and Jordan with partial pivoting; I - Q of a skew-symmetric Q is never singular. */
function invert(matrix: readonly (readonly number[])[]): number[][] {
  const n = matrix.length;
  const rows = matrix.map((row, r) => [...row, ...row.map((_, c) => (r === c ? 1 : 0))]);
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let r = column + 1; r < n; r++) {
      if (Math.abs(rows[r][column]) > Math.abs(rows[pivot][column])) pivot = r;
    }
    [rows[column], rows[pivot]] = [rows[pivot], rows[column]];
    const head = rows[column][column];
    rows[column] = rows[column].map((value) => value / head);
    rows.forEach((row, r) => {
      const times = row[column];
      if (r === column || times === 0) return;
      for (let c = column; c < 2 * n; c++) row[c] -= times * rows[column][c];
    });
  }
  return rows.map((row) => row.slice(n));
}

/**
 * The weight [out, ...rest] after all stages of a butterfly: stage i turns groups of rows that lie
 * 2^i·size/2 apart. Rotations [stages, count, size, size], each blended with the identity at strength s.
 */
export function butterfly(
  weight: Tensor,
  rotations: Tensor,
  s: Tensor,
  { stages, count, size }: { stages: number; count: number; size: number },
): Tensor {
  const shape = weight.shape as readonly number[];
  const [out, ...rest] = shape;
  const columns = sizeOf(rest);
  const identity = new Float32Array(size * size);
  for (let i = 0; i < size; i++) identity[i * (size + 1)] = 1;
  const eye = constant(identity, [1, 1, size, size]);
  const blended = add(mul(rotations, s), mul(eye, sub(1, s)));
  const half = size / 2;
  let w = reshape(weight, [out, columns]);
  for (let stage = 0; stage < stages; stage++) {
    const span = 2 ** stage * half;
    const groups = out / (2 * span);
    // rows as (groups, 2, span): the halves of a group are interleaved before they are turned
    const mixed = permute(reshape(w, [groups, 2, span, columns]), [0, 2, 1, 3]);
    const blocks = reshape(mixed, [count, size, columns]);
    const rotation = reshape(slice(blended, 0, stage, stage + 1), [count, size, size]);
    const turned = reshape(matmul(rotation, blocks), [groups, span, 2, columns]);
    w = reshape(permute(turned, [0, 2, 1, 3]), [out, columns]);
  }
  return reshape(w, shape);
}
