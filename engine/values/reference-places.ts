/** Where pictures to look at lie among the positions of the picture that is made (FLUX.1 Kontext and kin). */
import type { NDArray } from '../array/nd.ts';
import type { ReferenceMethod } from '../arch/family.ts';

/** Plane, and row and column of the first token. */
export type TokenPlace = readonly [plane: number, row: number, column: number];

type Size = readonly [height: number, width: number];

/** How the tokens of a family lie. */
export interface TokenGrid {
  /** Cells of a latent along a token's side. */
  readonly patch: number;
  /** From one plane to the next. */
  readonly apart: number;
}

/** The places of latents of these sizes, in cells, for a picture of that size. */
type Method = (sizes: readonly Size[], picture: Size, grid: TokenGrid) => TokenPlace[];

const tokens = (cells: number, patch: number): number =>
  Math.floor((cells + Math.floor(patch / 2)) / patch);

/** Each on a plane of its own. */
const ownPlanes: Method = (sizes, _, { apart }) => sizes.map((_, i) => [(i + 1) * apart, 0, 0]);

const methods: Readonly<Record<ReferenceMethod, Method>> = {
  index: ownPlanes,
  index_timestep_zero: ownPlanes,
  negative_index: (sizes) => sizes.map((_, i) => [-(i + 1), 0, 0]),
  /** On the picture's plane, along the diagonal behind it. */
  uxo(sizes, picture, { patch }) {
    let [height, width] = picture.map((cells) => tokens(cells, patch) * patch);
    return sizes.map(([h, w]) => {
      const place: TokenPlace = [0, tokens(height, patch), tokens(width, patch)];
      [height, width] = [height + h, width + w];
      return place;
    });
  },
  /** All on the plane behind it, each beside or below those before, where the whole stays more like a square. */
  offset(sizes, _, { patch }) {
    let [height, width] = [0, 0];
    return sizes.map(([h, w]) => {
      const [row, column] = h + height > w + width ? [0, width] : [height, 0];
      [height, width] = [Math.max(height, h + row), Math.max(width, w + column)];
      return [1, tokens(row, patch), tokens(column, patch)];
    });
  },
};

/** The places of latents [..., h, w] for a picture [..., h, w], in their order. */
export function placeReferences(
  latents: readonly NDArray[],
  pictureShape: readonly number[],
  method: ReferenceMethod,
  grid: TokenGrid,
): readonly TokenPlace[] {
  const sizeOf = (shape: readonly number[]): Size => [shape.at(-2)!, shape.at(-1)!];
  const sizes = latents.map(({ shape }) => sizeOf(shape));
  return methods[method](sizes, sizeOf(pictureShape), grid);
}
