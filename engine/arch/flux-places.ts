/** Where the tokens of Flux and its kin stand, and so how far their queries and keys turn. */
import type { Rotation } from '../tensor/nn.ts';
import { add, cast, mul, range, reshape, sizeTensor, slice, sub } from '../tensor/nn.ts';
import { type Dim, mulDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Grid, gridOf } from './patchify.ts';
import { type Positions, axialRotation, gridPlaces, joinPositions, samePlace } from './rope.ts';

/** A picture that the network may look at, and where it puts it: [b, index, row, column] of its first token. */
export interface Reference {
  readonly latent: Tensor;
  readonly place: Tensor;
}

/** What a release fixes of its tokens' places. */
export interface PlaceFacts {
  /** Cells of a latent along a token's side. */
  readonly patch: number;
  /** Shares of a head that turn by plane, row, column (and place in the text). */
  readonly axes: readonly number[];
  readonly theta: number;
  /** Axes on which words stand one behind the other; on the others they stand at the origin. */
  readonly wordAxes: readonly number[];
  /** Words end before the picture's first row and column, a plane in front of it. */
  readonly wordsBefore: boolean;
}

/** How many words there are, the picture's tokens, and what is looked at. */
export interface FluxSequence {
  readonly text: Dim;
  readonly grid: Grid;
  readonly references: readonly Reference[];
}

/** Words, then the picture, then pictures to look at on planes of their own or beside it. */
export function fluxRotation(
  { text, grid, references }: FluxSequence,
  facts: PlaceFacts,
): Rotation {
  const { axes, theta, patch } = facts;
  const count = mulDim(grid.rows, grid.columns);
  const own: Positions = [...samePlace(count, 1), ...gridPlaces(grid)];
  const pictures = [own, ...references.map((reference) => placesOf(reference, patch))];
  const all = [
    wordPlaces(text, facts),
    ...pictures.map((places) => axes.map((_, axis) => places[axis] ?? mul(places[0], 0))),
  ];
  return axialRotation(joinPositions(all), { widths: axes, theta });
}

function wordPlaces(length: Dim, { axes, wordAxes, wordsBefore }: PlaceFacts): Positions {
  const [origin] = samePlace(length, 1);
  const order = cast(range(length), 'f32');
  // only distances count: instead of the pictures the words are moved
  const inOrder = wordsBefore ? sub(order, cast(sizeTensor(length), 'f32')) : order;
  return axes.map((_, axis) => {
    if (wordAxes.includes(axis)) return inOrder;
    return wordsBefore && axis === 0 ? sub(origin, 1) : origin;
  });
}

/** The tokens of a reference: its plane, and rows and columns from its first one's. */
function placesOf({ latent, place }: Reference, patch: number): Positions {
  const grid = gridOf(latent, patch);
  const [index, row, column] = [0, 1, 2].map((axis) =>
    reshape(slice(slice(place, 0, 0, 1), 1, axis, axis + 1), [1]),
  );
  const plane = add(samePlace(mulDim(grid.rows, grid.columns), 1)[0], index);
  return [plane, ...gridPlaces(grid, { row, column })];
}
