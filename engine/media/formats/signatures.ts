/** Which picture format bytes are: the one opinion of decoders and of those who take uploads. */

/** Formats that `decodeImage` reads. */
export type PictureFormat = 'png' | 'gif' | 'jpeg' | 'webp' | 'bmp' | 'tiff' | 'avif' | 'tga';

/** Whether the text lies in the bytes, one byte a character. */
export function hasText(bytes: Uint8Array, text: string, at = 0): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

const starts =
  (...texts: readonly string[]) =>
  (bytes: Uint8Array): boolean =>
    texts.some((text) => hasText(bytes, text));

/** In the order in which they are tried: a TGA has no signature and comes last. */
const FORMATS: Readonly<Record<PictureFormat, (bytes: Uint8Array) => boolean>> = {
  png: starts('\x89PNG\r\n\x1a\n'),
  gif: starts('GIF87a', 'GIF89a'),
  jpeg: starts('\xff\xd8\xff'),
  webp: (bytes) => hasText(bytes, 'RIFF') && hasText(bytes, 'WEBP', 8),
  bmp: (bytes) => hasText(bytes, 'BM') && bytes.length >= 26,
  // The second two are BigTIFF.
  tiff: starts('II*\0', 'MM\0*', 'II+\0', 'MM\0+'),
  // Single pictures (avif) and sequences (avis).
  avif: (bytes) => hasText(bytes, 'ftypavi', 4),
  tga: isTga,
};

/** The format of a picture's bytes; undefined for everything that is not read. */
export function pictureFormat(bytes: Uint8Array): PictureFormat | undefined {
  return (Object.keys(FORMATS) as PictureFormat[]).find((format) => FORMATS[format](bytes));
}

const TGA_KINDS = [1, 2, 3, 9, 10, 11];

/** Only says that the header is a possible one. */
function isTga(bytes: Uint8Array): boolean {
  const [colorMap, kind, depth] = [bytes[1], bytes[2], bytes[16]];
  return (
    bytes.length >= 18 &&
    colorMap <= 1 &&
    TGA_KINDS.includes(kind) &&
    [1, 8, 16, 24, 32].includes(depth) &&
    (bytes[12] | (bytes[13] << 8)) > 0 &&
    (bytes[14] | (bytes[15] << 8)) > 0
  );
}
