/** What ComfyUI's dataset nodes do to pictures [1, h, w, c]; they all see 8-bit pixels, as PIL does. */
import { greyBytes } from './colour.ts';
import { map } from './elementwise.ts';
import { type NDArray, zeros } from './nd.ts';
import { type Rectangle, cropImage, withChannels } from './rectangle.ts';
import { lanczosImage } from './resize.ts';
import { toByte } from './round.ts';

const inBytes = (x: NDArray): NDArray => map(x, (v) => toByte(v) / 255);

/** One side becomes `size`, the other follows (cut, not rounded). */
export function resizeEdge(x: NDArray, size: number, edge: 'shorter' | 'longer'): NDArray {
  const [, h, w] = x.shape;
  const isWidth = edge === 'shorter' ? w < h : w > h;
  const [width, height] = isWidth
    ? [size, Math.trunc(h * (size / w))]
    : [Math.trunc(w * (size / h)), size];
  return lanczosImage(x, height, width);
}

/** The part of a size, or all there is of a side that is shorter; `place` chooses among the free pixels. */
export function cropToSize(
  x: NDArray,
  { width, height }: Pick<Rectangle, 'width' | 'height'>,
  place: (free: number) => number,
): NDArray {
  const [, h, w] = x.shape;
  const left = place(Math.max(0, w - width));
  const top = place(Math.max(0, h - height));
  return inBytes(cropImage(x, { left, top, width, height }));
}

interface Cells {
  readonly columns: number;
  readonly width: number;
  readonly height: number;
  readonly padding: number;
}

/** Pictures stretched to cells of one size and laid out in rows on black. */
export function pictureGrid(
  pictures: readonly NDArray[],
  { columns, width, height, padding }: Cells,
): NDArray {
  const lines = Math.ceil(pictures.length / columns);
  const across = columns * (width + padding) - padding;
  const grid = zeros([1, lines * (height + padding) - padding, across, 3]);
  pictures.forEach((picture, i) => {
    const cell = withChannels(lanczosImage(picture, height, width), 3);
    const top = Math.floor(i / columns) * (height + padding);
    const left = (i % columns) * (width + padding);
    for (let y = 0; y < height; y++) {
      const row = cell.data.subarray(y * width * 3, (y + 1) * width * 3);
      grid.data.set(row, ((top + y) * across + left) * 3);
    }
  });
  return grid;
}

/** Pictures that differ from all kept before them: less than `threshold` of 64 hash bits are the same. */
export function withoutDuplicates(pictures: readonly NDArray[], threshold: number): NDArray[] {
  const kept: { hash: readonly boolean[]; picture: NDArray }[] = [];
  for (const picture of pictures) {
    const hash = averageHash(picture);
    const isKnown = kept.some((other) => {
      const different = hash.filter((bit, i) => bit !== other.hash[i]).length;
      return 1 - different / 64 >= threshold;
    });
    if (!isKnown) kept.push({ hash, picture });
  }
  return kept.map(({ picture }) => picture);
}

/** Which of 8 x 8 grey levels lie above their mean. */
function averageHash(picture: NDArray): boolean[] {
  const { data } = withChannels(lanczosImage(picture, 8, 8), 3);
  const grey = [...greyBytes(Uint8Array.from(data, (v) => Math.round(v * 255)))];
  const mean = grey.reduce((sum, v) => sum + v, 0) / 64;
  return grey.map((v) => v > mean);
}
