/** Workflow texts embedded in a picture: `workflow` (UI form) and `prompt` (API form), if any. */
export interface EmbeddedTexts {
  workflow?: string;
  prompt?: string;
}

/**
 * Reads what ComfyUI and Noodle write into pictures: PNG tEXt/iTXt chunks and WebP/JPEG EXIF
 * strings of the form `workflow:{…}`. Unknown or broken files give an empty result.
 */
export async function embeddedTexts(bytes: Uint8Array): Promise<EmbeddedTexts> {
  if (matches(bytes, 0, [0x89, 0x50, 0x4e, 0x47])) return pngTexts(bytes);
  if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return webpTexts(bytes);
  return {};
}

async function pngTexts(bytes: Uint8Array): Promise<EmbeddedTexts> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: EmbeddedTexts = {};
  let at = 8;
  while (at + 12 <= bytes.length) {
    const length = view.getUint32(at);
    const type = ascii(bytes, at + 4, at + 8);
    const end = at + 8 + length;
    if (end + 4 > bytes.length) break;
    const body = bytes.subarray(at + 8, end);
    if (type === 'tEXt' || type === 'iTXt' || type === 'comf') {
      const [key, text] = await textChunk(type, body);
      if (key === 'workflow' || key === 'prompt') found[key] ??= text;
    }
    if (type === 'IEND') break;
    at = end + 4;
  }
  return found;
}

async function textChunk(type: string, body: Uint8Array): Promise<[string, string]> {
  const nul = body.indexOf(0);
  if (nul < 0) return ['', ''];
  const key = latin1(body.subarray(0, nul));
  if (type !== 'iTXt') return [key, utf8OrLatin1(body.subarray(nul + 1))];
  // iTXt: key, NUL, compressed?, method, language, NUL, translated key, NUL, text.
  const compressed = body[nul + 1] === 1;
  const language = body.indexOf(0, nul + 3);
  const translated = language < 0 ? -1 : body.indexOf(0, language + 1);
  if (translated < 0) return [key, ''];
  const text = body.subarray(translated + 1);
  return [key, new TextDecoder().decode(compressed ? await inflate(text) : text)];
}

async function inflate(data: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([data.slice()]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function webpTexts(bytes: Uint8Array): EmbeddedTexts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 12;
  while (at + 8 <= bytes.length) {
    const length = view.getUint32(at + 4, true);
    const body = bytes.subarray(at + 8, Math.min(bytes.length, at + 8 + length));
    if (ascii(bytes, at, at + 4) === 'EXIF') return exifTexts(body);
    at += 8 + length + (length % 2);
  }
  return {};
}

/** ASCII strings of the first EXIF directory that read `key:text`. */
function exifTexts(body: Uint8Array): EmbeddedTexts {
  const start = ascii(body, 0, 4) === 'Exif' ? 6 : 0;
  const tiff = body.subarray(start);
  const found: EmbeddedTexts = {};
  if (tiff.length < 8) return found;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const little = ascii(tiff, 0, 2) === 'II';
  const directory = view.getUint32(4, little);
  if (directory + 2 > tiff.length) return found;
  const count = view.getUint16(directory, little);
  for (let i = 0; i < count; i++) {
    const entry = directory + 2 + i * 12;
    if (entry + 12 > tiff.length) break;
    if (view.getUint16(entry + 2, little) !== 2) continue;
    const length = view.getUint32(entry + 4, little);
    const offset = length <= 4 ? entry + 8 : view.getUint32(entry + 8, little);
    if (offset + length > tiff.length) continue;
    const text = utf8OrLatin1(tiff.subarray(offset, offset + length)).replace(/\0+$/, '');
    const [, key, rest] = /^(workflow|prompt):([\s\S]*)$/i.exec(text) ?? [];
    if (key !== undefined) found[key.toLowerCase() as 'workflow' | 'prompt'] ??= rest;
  }
  return found;
}

function utf8OrLatin1(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return latin1(bytes);
  }
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) {
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  return text;
}

const ascii = (bytes: Uint8Array, from: number, to: number): string =>
  String.fromCharCode(...bytes.subarray(from, to));

const matches = (bytes: Uint8Array, at: number, expected: readonly number[]): boolean =>
  expected.every((b, i) => bytes[at + i] === b);
