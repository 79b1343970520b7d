/** What the mask editor saves: a picture with a new alpha channel. */
import { decodeImage } from './decode-image.ts';
import { badImage } from './limits.ts';
import { readPngText } from '../workflow/png-text.ts';
import { isPng } from './formats/png/chunks.ts';
import { encodePng, isTextKey } from './formats/png/encode.ts';
import { withAlpha } from './view-transform.ts';

/**
 * PNG with the colours of `original`, the alpha of `upload` (opaque where it has none) and, when
 * the original is a PNG, its texts (the workflow). Throws IMAGE_FILE when either is no picture or
 * their sizes differ.
 */
export async function mergeMask(original: Uint8Array, upload: Uint8Array): Promise<Uint8Array> {
  const [picture] = (await decodeImage(original, { name: 'original', firstOnly: true })).frames;
  const [mask] = (await decodeImage(upload, { name: 'mask', firstOnly: true })).frames;
  if (picture.width !== mask.width || picture.height !== mask.height) {
    throw badImage(
      `the mask has ${mask.width} x ${mask.height} pixels, ` +
        `the picture ${picture.width} x ${picture.height}`,
    );
  }
  const opaque = new Uint8Array(mask.width * mask.height).fill(255);
  const pixels = withAlpha(picture, mask.alpha ?? mask.keyedAlpha ?? opaque);
  return encodePng(pixels, { level: 4, text: await textsOf(original) });
}

async function textsOf(original: Uint8Array): Promise<[key: string, value: string][]> {
  return isPng(original) ? [...(await readPngText(original, isTextKey))] : [];
}
