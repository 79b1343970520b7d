/** What a file is by its first bytes, whatever it is called. */

export type SniffedKind = 'image' | 'video' | 'audio' | 'model' | 'text' | 'unknown';

const startsWith = (bytes: Uint8Array, text: string, at = 0): boolean => {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
};

const SIGNATURES: readonly (readonly [kind: SniffedKind, text: string, at?: number])[] = [
  ['image', '\x89PNG\r\n\x1a\n'],
  ['image', '\xff\xd8\xff'],
  ['image', 'GIF87a'],
  ['image', 'GIF89a'],
  ['image', 'BM'],
  ['image', 'II*\0'],
  ['image', 'MM\0*'],
  ['image', 'WEBP', 8],
  ['image', 'ftypavif', 4],
  ['image', 'ftypheic', 4],
  ['image', 'ftypmif1', 4],
  ['image', '\xff\x0a'],
  ['image', '\0\0\0\x0cJXL '],
  ['image', '#?RADIANCE'],
  ['image', 'v/1\x01'],
  ['image', 'qoif'],
  ['image', '8BPS'],
  ['audio', 'WAVE', 8],
  ['audio', 'fLaC'],
  ['audio', 'OggS'],
  ['audio', 'ID3'],
  ['audio', '\xff\xfb'],
  ['audio', '\xff\xf3'],
  ['audio', '\xff\xf1'],
  ['audio', 'ftypM4A', 4],
  ['audio', 'AIFF', 8],
  ['video', 'AVI ', 8],
  ['video', '\x1aE\xdf\xa3'],
  ['video', 'ftyp', 4],
  ['video', 'FLV\x01'],
  ['video', '\0\0\x01\xba'],
  ['model', 'glTF'],
  ['model', 'Kaydara FBX'],
  ['model', 'ply\n'],
  ['model', 'ply\r'],
  ['model', 'PK\x03\x04'],
];

/** 3D formats that are plain text; every other text is refused where clients upload media. */
export const TEXT_MODELS: ReadonlySet<string> = new Set(
  '.obj .ply .stl .gltf .mtl .spz .splat .ksplat'.split(' '),
);

/** The kind of the bytes; 'text' when the first 512 hold no control characters. */
export function sniffKind(bytes: Uint8Array): SniffedKind {
  for (const [kind, text, at] of SIGNATURES) if (startsWith(bytes, text, at)) return kind;
  if (isTga(bytes)) return 'image';
  if (isSafetensors(bytes)) return 'model';
  const head = bytes.subarray(0, 512);
  const control = head.some((byte) => byte < 9 || (byte > 13 && byte < 32));
  return control || head.length === 0 ? 'unknown' : 'text';
}

/** TGA has no signature in front: a plausible header must do. */
function isTga(bytes: Uint8Array): boolean {
  if (bytes.length < 18) return false;
  const [, colourMap, type] = bytes;
  const bits = bytes[16];
  return (
    colourMap <= 1 && [1, 2, 3, 9, 10, 11].includes(type) && [8, 15, 16, 24, 32].includes(bits)
  );
}

/** 8 bytes of header length, then a JSON object (`.latent` files and models). */
function isSafetensors(bytes: Uint8Array): boolean {
  return bytes.length > 9 && bytes[6] === 0 && bytes[7] === 0 && bytes[8] === 0x7b;
}
