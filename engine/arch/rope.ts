/** Where tokens are, and the angles that their queries and keys are turned by (Su et al. 2021). */
import {
  type Rotation,
  add,
  cast,
  concat,
  constant,
  cos,
  expand,
  mul,
  range,
  reshape,
  sin,
  unsqueeze,
} from '../tensor/nn.ts';
import type { Dim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Grid } from './patchify.ts';

/** A coordinate of every token [tokens], axis by axis. */
export type Positions = readonly Tensor[];

/** The same place for all tokens. */
export const samePlace = (tokens: Dim, axes: number): Positions => {
  const zeros = mul(cast(range(tokens), 'f32'), 0);
  return Array.from({ length: axes }, () => zeros);
};

/** Row and column of every cell of a grid, row by row; counted from `from` (scalars or numbers). */
export function gridPlaces(
  { rows, columns }: Grid,
  from: { readonly row: Tensor | number; readonly column: Tensor | number } = { row: 0, column: 0 },
): [row: Tensor, column: Tensor] {
  const flat = (line: Tensor): Tensor => reshape(expand(line, [rows, columns]), [-1]);
  const count = (size: Dim): Tensor => cast(range(size), 'f32');
  return [
    flat(reshape(add(count(rows), from.row), [rows, 1])),
    flat(reshape(add(count(columns), from.column), [1, columns])),
  ];
}

/** Frame, and what places each token has in its frame, for one frame after another. */
export function framePlaces(frames: Dim, inFrame: Positions): Positions {
  const count = inFrame[0].shape[0];
  const flat = (places: Tensor): Tensor => reshape(expand(places, [frames, count]), [-1]);
  const frame = unsqueeze(cast(range(frames), 'f32'), 1);
  return [flat(frame), ...inFrame.map((places) => flat(unsqueeze(places, 0)))];
}

/** Positions of sequences that follow one another. */
export const joinPositions = (parts: readonly Positions[]): Positions =>
  parts[0].map((_, axis) =>
    concat(
      parts.map((part) => part[axis]),
      0,
    ),
  );

/**
 * Rotations of a head of `widths` together: on axis a the pair k of its width d turns by
 * position * theta^(-2k/d), with a theta for all axes or one for each.
 */
export function axialRotation(
  positions: Positions,
  {
    widths,
    theta = 10000,
  }: { readonly widths: readonly number[]; readonly theta?: number | readonly number[] },
): Rotation {
  const angles = positions.map((places, axis) => {
    const width = widths[axis];
    const base = typeof theta === 'number' ? theta : theta[axis];
    const speeds = Float32Array.from({ length: width / 2 }, (_, k) => base ** ((-2 * k) / width));
    return mul(unsqueeze(places, 1), constant(speeds, [1, speeds.length])); // [tokens, d/2]
  });
  const all = concat(angles, 1);
  return { cos: cos(all), sin: sin(all) };
}
