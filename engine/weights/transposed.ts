/** Matrices with their axes swapped, a few rows at a time. */

/** Rows and columns of a matrix that are swapped together: their lines stay in a core's own cache. */
export const square = 32;

/** Rows of a matrix [rows, columns] from row `first` on, to their places in `laid`, which is [columns, rows]. */
export function layTransposed<T extends Float32Array | Uint16Array>(
  laid: T,
  part: T,
  [rows, columns]: readonly number[],
  first: number,
): void {
  const count = part.length / columns;
  for (let left = 0; left < columns; left += square) {
    const right = Math.min(left + square, columns);
    for (let top = 0; top < count; top += square) {
      const height = Math.min(square, count - top);
      for (let column = left; column < right; column++) {
        const end = column * rows + first + top + height;
        for (let to = end - height, from = top * columns + column; to < end; to++) {
          laid[to] = part[from];
          from += columns;
        }
      }
    }
  }
}
