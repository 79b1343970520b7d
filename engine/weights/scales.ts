/** Stored numbers times the scales that a file has for them in tensors of their own. */
import { sizeOf } from '../array/nd.ts';
import type { Scales, WeightEntry } from './source.ts';

/** Multiplies a run of a weight's numbers, from the start-th on, in place; rotated ones need whole groups. */
export type Scaler = (values: Float32Array, start: number) => void;

/** The scales of a weight of a shape, read once. */
export function scaler(
  { by, over, tiled = false, all, plus = 0, rotated }: Scales,
  shape: readonly number[],
  read: (entry: WeightEntry) => Float32Array,
): Scaler {
  const stored = read(by);
  const factor = all ? read(all)[0] : 1;
  const rows = shape[0] ?? 1;
  const width = sizeOf(shape) / rows;
  const inBlock = over ?? (stored.length === 1 ? rows * width : width);
  const blocks = width / inBlock;
  const at = tiled ? tiledPlace(blocks) : (block: number): number => block;
  const turn = rotated === undefined ? undefined : rotation(rotated);
  return (values, start) => {
    for (let i = 0; i < values.length;) {
      const block = Math.floor((start + i) / inBlock);
      const end = Math.min(values.length, (block + 1) * inBlock - start);
      const scale = Math.fround(factor * stored[at(block)]);
      for (; i < end; i++) values[i] *= scale;
    }
    if (plus !== 0) for (let i = 0; i < values.length; i++) values[i] += plus;
    turn?.(values);
  };
}

/**
 * Where the scale of a block lies, which counts along rows of so many: tiles of 128 rows and 4 columns one
 * after the other, in each 32 times the four of rows r, r + 32, r + 64 and r + 96 (cuBLAS's layout of scales).
 */
function tiledPlace(columns: number): (block: number) => number {
  const tilesInRow = Math.ceil(columns / 4);
  return (block) => {
    const row = Math.floor(block / columns);
    const column = block % columns;
    const tile = Math.floor(row / 128) * tilesInRow + Math.floor(column / 4);
    return tile * 512 + (row % 32) * 16 + Math.floor((row % 128) / 32) * 4 + (column % 4);
  };
}

/**
 * Products of each group with the regular Hadamard matrix of that size over its root (a power of 4; the
 * Kronecker product of matrices of 4 that have -1 in the other diagonal), which is its own inverse. The
 * matrix of 4 takes twice each number from the sum of all, in reverse order.
 */
function rotation(size: number): (values: Float32Array) => void {
  return (values) => {
    for (let step = 1; step < size; step *= 4) {
      for (let i = 0; i < values.length; i++) {
        if (Math.floor(i / step) % 4 !== 0) continue;
        const [a, b, c, d] = [
          values[i],
          values[i + step],
          values[i + 2 * step],
          values[i + 3 * step],
        ];
        // over the root of the size: half in each of its steps
        const half = (a + b + c + d) / 2;
        values[i] = half - d;
        values[i + step] = half - c;
        values[i + 2 * step] = half - b;
        values[i + 3 * step] = half - a;
      }
    }
  };
}
