/** Preview pictures as ComfyUI sends them: JPEG, quality 95, fitted (also up) into a square. */
import type { PreviewImage } from '../graph/definition.ts';
import { loadSharp } from '../media/sharp.ts';

/** JPEG bytes of a preview whose longer side becomes `size` pixels; the aspect is kept. */
export async function encodePreview(image: PreviewImage, size: number): Promise<Uint8Array> {
  const { width, height, rgb } = image;
  const scale = size / Math.max(width, height);
  const fit = (side: number): number => Math.max(1, Math.floor(side * scale));
  const sharp = await loadSharp();
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .resize(fit(width), fit(height), { fit: 'fill', kernel: 'linear' })
    .jpeg({ quality: 95 })
    .toBuffer();
}
