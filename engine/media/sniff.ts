/** What a file is by its first bytes, whatever it is called. */

import { hasText, pictureFormat } from './formats/signatures.ts';

export type SniffedKind = 'image' | 'video' | 'audio' | 'model' | 'text' | 'unknown';

/** Besides the pictures that we read. */
const SIGNATURES: readonly (readonly [kind: SniffedKind, text: string, at?: number])[] = [
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
  const format = pictureFormat(bytes);
  // The one without a signature may not speak before those that have one.
  if (format !== undefined && format !== 'tga') return 'image';
  for (const [kind, text, at] of SIGNATURES) if (hasText(bytes, text, at)) return kind;
  if (format === 'tga') return 'image';
  if (isSafetensors(bytes)) return 'model';
  const head = bytes.subarray(0, 512);
  const control = head.some((byte) => byte < 9 || (byte > 13 && byte < 32));
  return control || head.length === 0 ? 'unknown' : 'text';
}

/** 8 bytes of header length, then a JSON object (`.latent` files and models). */
function isSafetensors(bytes: Uint8Array): boolean {
  return bytes.length > 9 && bytes[6] === 0 && bytes[7] === 0 && bytes[8] === 0x7b;
}
