/** Pictures of one workflow computed in several ways: how far they differ, and all of them in one. */
import { psnr } from '../engine/array/psnr.ts';
import { type Pixels, encodePng } from '../engine/media/formats/png/encode.ts';
import { loadImageFile } from '../engine/media/load-image.ts';

/** The first frame of a file as RGB. Throws IMAGE_FILE for what is no picture. */
export async function readPicture(path: string): Promise<Pixels> {
  const { width, height, rgb } = (await loadImageFile(path, { firstOnly: true })).frames[0];
  return { width, height, channels: 3, data: rgb };
}

/** PSNR in dB, Infinity where they are equal; undefined for pictures of different sizes. */
export function likeness(a: Pixels, b: Pixels): number | undefined {
  return isSameSize(a, b) ? psnr(a.data, b.data, 255) : undefined;
}

const isSameSize = (a: Pixels, b: Pixels): boolean => a.width === b.width && a.height === b.height;

/** How much differences are enlarged to be seen. */
export const DIFFERENCE_GAIN = 8;

/**
 * The pictures from left to right, then how far each of the later ones is from the first, enlarged, as
 * PNG; undefined for pictures of different sizes.
 */
export async function sideBySide(pictures: readonly Pixels[]): Promise<Buffer | undefined> {
  const [first, ...others] = pictures;
  if (!others.every((other) => isSameSize(first, other))) return undefined;
  const differences = others.map(({ data }) =>
    data.map((value, i) => Math.min(255, DIFFERENCE_GAIN * Math.abs(value - first.data[i]))),
  );
  const panels = [...pictures.map(({ data }) => data), ...differences];
  const { width, height } = first;
  const row = width * 3;
  const data = new Uint8Array(panels.length * row * height);
  panels.forEach((panel, i) => {
    for (let y = 0; y < height; y++) {
      data.set(panel.subarray(y * row, (y + 1) * row), (y * panels.length + i) * row);
    }
  });
  return encodePng({ width: width * panels.length, height, channels: 3, data }, { level: 6 });
}
