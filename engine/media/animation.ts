/** Animated PNG, WebP and GIF. */
import { type Pixels, chunk, compressPixels, pngStart } from './formats/png/encode.ts';
import { type SharpPicture, encodeRaw } from './sharp.ts';
import { withExifTexts } from './formats/webp-exif.ts';

export interface AnimationOptions {
  /** How long each frame is shown. */
  readonly milliseconds: number;
  /** Workflow texts; their place in the file is ComfyUI's. */
  readonly text: readonly (readonly [key: string, value: string])[];
}

/**
 * APNG of frames of one size, played for ever. Texts become private `comf` chunks behind the
 * pictures: key, NUL, value.
 */
export async function encodeApng(
  frames: readonly Pixels[],
  { milliseconds, text, level }: AnimationOptions & { readonly level: number },
): Promise<Buffer> {
  const parts: Uint8Array[] = [...pngStart(frames[0])];
  const control = Buffer.alloc(8);
  control.writeUInt32BE(frames.length, 0);
  if (frames.length > 1) parts.push(...chunk('acTL', control));
  let sequence = 0;
  for (const [i, frame] of frames.entries()) {
    if (frames.length > 1)
      parts.push(...chunk('fcTL', frameControl(frame, sequence++, milliseconds)));
    const data = await compressPixels(frame, level);
    if (i === 0) parts.push(...chunk('IDAT', data));
    else {
      const number = Buffer.alloc(4);
      number.writeUInt32BE(sequence++, 0);
      parts.push(...chunk('fdAT', Buffer.concat([number, data])));
    }
  }
  for (const [key, value] of text) {
    parts.push(...chunk('comf', Buffer.from(`${key}\0${value}`, 'latin1')));
  }
  return Buffer.concat([...parts, ...chunk('IEND', Buffer.alloc(0))]);
}

function frameControl({ width, height }: Pixels, sequence: number, milliseconds: number): Buffer {
  const data = Buffer.alloc(26);
  [sequence, width, height].forEach((value, i) => data.writeUInt32BE(value, i * 4));
  data.writeUInt16BE(Math.min(milliseconds, 65_535), 20);
  data.writeUInt16BE(1000, 22);
  return data;
}

/** EXIF tags for the texts: the prompt under Model, the others under Make and downwards. */
const PROMPT_TAG = 0x0110;
const FIRST_EXTRA_TAG = 0x010f;

export interface WebpOptions extends AnimationOptions {
  readonly lossless: boolean;
  /** 0..100. */
  readonly quality: number;
  /** 0 fastest .. 6 smallest. */
  readonly effort: number;
  /** How often it is played; for ever when left out. */
  readonly repeats?: number;
}

/** WebP of one or more frames of one size (RGB or RGBA). Throws IMAGE_FILE. */
export async function encodeWebp(
  frames: readonly Pixels[],
  { milliseconds, text, lossless, quality, effort, repeats = 0 }: WebpOptions,
): Promise<Uint8Array> {
  const [{ width, height, channels }] = frames;
  const delay = frames.map(() => milliseconds);
  const webp = await stacked(frames, (picture) =>
    picture.webp({ lossless, quality: Math.max(1, quality), effort, loop: repeats, delay }),
  );
  const tags = new Map<number, string>();
  let extra = FIRST_EXTRA_TAG;
  for (const [key, value] of text) {
    tags.set(key === 'prompt' ? PROMPT_TAG : extra--, `${key}:${value}`);
  }
  return withExifTexts(webp, tags, { width, height, hasAlpha: channels % 2 === 0 });
}

/**
 * GIF of one or more frames of one size, played as often as `repeats` says after the first time; 0 is for
 * ever. Throws IMAGE_FILE.
 */
export async function encodeGif(
  frames: readonly Pixels[],
  { milliseconds, repeats }: { readonly milliseconds: number; readonly repeats: number },
): Promise<Uint8Array> {
  const delay = frames.map(() => milliseconds);
  // What the picture library counts is how often it is played in all.
  const loop = repeats === 0 ? 0 : repeats + 1;
  return stacked(frames, (picture) => picture.gif({ loop, delay }));
}

/** All frames through the picture library, as pages of one picture. */
function stacked(
  frames: readonly Pixels[],
  encode: (picture: SharpPicture) => SharpPicture,
): Promise<Uint8Array> {
  const [{ width, height, channels }] = frames;
  const raw = { width, height: height * frames.length, channels, pageHeight: height };
  return encodeRaw(Buffer.concat(frames.map(({ data }) => data)), raw, encode);
}
