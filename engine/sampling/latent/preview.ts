/** Rough colour pictures of a latent, cheap enough for every step. */
import type { NDArray } from '../../array/nd.ts';
import type { LatentFormat } from './formats.ts';

/** Raw RGB bytes, row-major, 3 per pixel. */
export interface LatentPreview {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

/**
 * latent2rgb: each latent cell of the first item (of a video: of its first frame) as one pixel, a
 * linear map of its channels from -1..1 to bytes, cut like ComfyUI's. `latent` is in network units
 * [b, c, h, w] or [b, c, t, h, w]. Undefined when the format has no colour factors.
 */
export function latentPreview(format: LatentFormat, latent: NDArray): LatentPreview | undefined {
  const { rgbFactors, rgbBias = [0, 0, 0], packed = 1 } = format;
  if (!rgbFactors || latent.shape.length < 4) return undefined;
  const channels = latent.shape[1] / packed ** 2;
  const [rows, columns] = latent.shape.slice(-2);
  const [height, width] = [rows * packed, columns * packed];
  const channelSize = latent.data.length / (latent.shape[0] * latent.shape[1]);
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const [y, x] = [Math.floor(i / width), i % width];
    const place = Math.floor(y / packed) * columns + Math.floor(x / packed);
    const inCell = (y % packed) * packed + (x % packed);
    for (let color = 0; color < 3; color++) {
      let value = rgbBias[color];
      for (let c = 0; c < channels; c++) {
        const at = (c * packed ** 2 + inCell) * channelSize + place;
        value += latent.data[at] * rgbFactors[c % rgbFactors.length][color];
      }
      const unit = Math.min(1, Math.max(0, (value + 1) / 2));
      rgb[i * 3 + color] = Math.trunc(Math.fround(unit) * 255);
    }
  }
  return { width, height, rgb };
}
