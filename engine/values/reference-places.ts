/** Where pictures to look at lie among the positions of the picture that is made (FLUX.1 Kontext and kin). */
import type { NDArray } from '../array/nd.ts';

/** Plane, and row and column of the first token. */
export type TokenPlace = readonly [plane: number, row: number, column: number];

/** Cells of a latent along a token's side. */
const patch = 2;

const tokens = (cells: number): number => Math.floor((cells + patch / 2) / patch);

/**
 * Latents [..., h, w] in their order. By method: `index`, each on a plane of its own; `uxo`, on the picture's
 * plane along the diagonal behind it; any other, all on the plane behind it, each beside or below those
 * before, where the whole stays more like a square.
 */
export function placeReferences(
  latents: readonly NDArray[],
  pictureShape: readonly number[],
  method: unknown,
): readonly TokenPlace[] {
  if (method === 'index') return latents.map((_, i) => [i + 1, 0, 0]);
  const sizes = latents.map(({ shape }) => shape.slice(-2) as [number, number]);
  const places: TokenPlace[] = [];
  let [height, width] =
    method === 'uxo' ? pictureShape.slice(-2).map((cells) => tokens(cells) * patch) : [0, 0];
  for (const [h, w] of sizes) {
    if (method === 'uxo') {
      places.push([0, tokens(height), tokens(width)]);
      [height, width] = [height + h, width + w];
    } else {
      const isBeside = h + height > w + width;
      const [row, column] = isBeside ? [0, width] : [height, 0];
      places.push([1, tokens(row), tokens(column)]);
      [height, width] = [Math.max(height, h + row), Math.max(width, w + column)];
    }
  }
  return places;
}
