/** Pictures as `GET /view` delivers them when it is asked for another format or for some channels. */
import { decodeImage } from './decode-image.ts';
import type { Frame } from './frame.ts';
import { encodePng, type Pixels } from './formats/png/encode.ts';
import { encodeRaw } from './sharp.ts';

export interface ViewOptions {
  /** `webp` or `jpeg`, with `;quality` behind it if wanted; anything else means webp. */
  readonly preview?: string | undefined;
  /** `rgb`, `a`, `rgba` (which is also what none means, but for a JPEG). */
  readonly channel?: string | undefined;
  /** Pixels of the longest side of a preview; a smaller picture stays as it is. */
  readonly size?: number | undefined;
}

const DEFAULT_QUALITY = 90;

/**
 * `preview`: the first frame as WebP (also where the channel has an a) or JPEG; without alpha for
 * JPEG and `channel=rgb`. Else `rgb`: PNG with the alpha dropped (not composited); `a`: PNG with
 * black colours and the picture's alpha, 255 where it has none. Throws IMAGE_FILE.
 */
export async function viewTransform(
  bytes: Uint8Array,
  { preview, channel, size }: ViewOptions,
): Promise<{ bytes: Uint8Array; mime: string }> {
  const {
    frames: [frame],
  } = await decodeImage(bytes, { firstOnly: true });
  if (preview !== undefined) return encodeView(frame, preview, channel ?? '', size);
  const pixels =
    channel === 'a' ? alphaOnly(frame) : channel === 'rgb' ? colours(frame) : all(frame);
  return { bytes: await encodePng(pixels, { level: 4 }), mime: 'image/png' };
}

async function encodeView(
  frame: Frame,
  preview: string,
  channel: string,
  size: number | undefined,
): Promise<{ bytes: Uint8Array; mime: string }> {
  const parts = preview.split(';');
  const format = parts[0] === 'jpeg' && !channel.includes('a') ? 'jpeg' : 'webp';
  const last = parts[parts.length - 1];
  const quality = /^\d+$/.test(last) ? Number(last) : DEFAULT_QUALITY;
  const pixels = format === 'jpeg' || channel === 'rgb' ? colours(frame) : all(frame);
  const { data, ...raw } = pixels;
  const bytes = await encodeRaw(data, raw, (picture) =>
    (size === undefined
      ? picture
      : picture.resize(size, size, { fit: 'inside', withoutEnlargement: true })
    ).toFormat(format, { quality: Math.min(100, Math.max(1, quality)) }),
  );
  return { bytes, mime: `image/${format}` };
}

const colours = ({ width, height, rgb }: Frame): Pixels => {
  return { width, height, channels: 3, data: rgb };
};

function all(frame: Frame): Pixels {
  return frame.alpha ? withAlpha(frame, frame.alpha) : colours(frame);
}

/** RGBA pixels of a frame's colours and an alpha band. */
export function withAlpha({ width, height, rgb }: Frame, alpha: Uint8Array): Pixels {
  const data = new Uint8Array(width * height * 4);
  for (let i = 0, from = 0, to = 0; i < alpha.length; i++, from += 3, to += 4) {
    data[to] = rgb[from];
    data[to + 1] = rgb[from + 1];
    data[to + 2] = rgb[from + 2];
    data[to + 3] = alpha[i];
  }
  return { width, height, channels: 4, data };
}

function alphaOnly({ width, height, alpha }: Frame): Pixels {
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) data[i * 4 + 3] = alpha ? alpha[i] : 255;
  return { width, height, channels: 4, data };
}
