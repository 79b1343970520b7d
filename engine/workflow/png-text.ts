/**
 * Texts inside pictures: PNG text chunks (PNG specification, third edition; `comf` is ComfyUI's for
 * frames of animations) and the EXIF block of WebP files. The one reader for engine, command line and
 * browser: it works on bytes alone. Every length is checked, and broken texts are left out.
 */

/** JSON texts found in a picture. */
export interface EmbeddedWorkflow {
  readonly prompt?: string;
  readonly workflow?: string;
}

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Bytes of all texts of one file, inflated: a workflow is text, more than this is a bomb. */
const MAX_TEXT = 64 << 20;

/** The `prompt` and `workflow` of a PNG or WebP file; empty when there is none. */
export async function readImageWorkflow(bytes: Uint8Array): Promise<EmbeddedWorkflow> {
  const wanted = (key: string): boolean => key === 'prompt' || key === 'workflow';
  const texts = PNG_SIGNATURE.every((byte, i) => bytes[i] === byte)
    ? await readPngText(bytes, wanted)
    : readWebpText(bytes);
  return { prompt: texts.get('prompt'), workflow: texts.get('workflow') };
}

/**
 * Keyword -> text of tEXt, zTXt, iTXt and `comf` chunks, in the order of the file; of equal keywords
 * the last counts, as for Pillow. Only `wanted` keywords are inflated and decoded.
 */
export async function readPngText(
  bytes: Uint8Array,
  wanted: (key: string) => boolean = () => true,
): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let left = MAX_TEXT;
  for (let at = PNG_SIGNATURE.length; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const type = latin1(bytes.subarray(at + 4, at + 8));
    const end = at + 8 + length;
    if (end + 4 > bytes.length || type === 'IEND') break;
    const data = bytes.subarray(at + 8, end);
    const key = isTextChunk(type) ? keyword(data) : '';
    if (key !== '' && wanted(key)) {
      const text = await chunkText(type, data, key.length, left);
      if (text !== undefined) {
        left -= text.length;
        texts.set(key, text);
      }
    }
    at = end + 4;
  }
  return texts;
}

const isTextChunk = (type: string): boolean =>
  type === 'tEXt' || type === 'zTXt' || type === 'iTXt' || type === 'comf';

/** What stands before the first NUL; empty where there is none. */
const keyword = (data: Uint8Array): string =>
  latin1(data.subarray(0, Math.max(0, data.subarray(0, 1024).indexOf(0))));

/** The text of a chunk whose keyword has `nul` bytes; undefined when broken or over the limit. */
async function chunkText(
  type: string,
  data: Uint8Array,
  nul: number,
  limit: number,
): Promise<string | undefined> {
  if (type === 'zTXt') {
    const text = await inflate(data.subarray(nul + 2), limit);
    return text && latin1(text);
  }
  if (type !== 'iTXt') return decoded(data.subarray(nul + 1), limit);
  // keyword NUL, compressed?, method, language NUL, translated keyword NUL, text
  const language = data.indexOf(0, nul + 3);
  const translated = language < 0 ? -1 : data.indexOf(0, language + 1);
  if (translated < 0) return undefined;
  const body = data.subarray(translated + 1);
  if (data[nul + 1] !== 1) return decoded(body, limit);
  const text = await inflate(body, limit);
  return text && decoded(text, limit);
}

/** UTF-8, as ComfyUI's page reads every kind; where it is none, Latin-1, as the specification says. */
function decoded(bytes: Uint8Array, limit: number): string | undefined {
  if (bytes.length > limit) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return latin1(bytes);
  }
}

/** Inflates zlib data; undefined when it is broken or has more than `limit` bytes. */
async function inflate(data: Uint8Array, limit: number): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    const stream = new Blob([data.slice()])
      .stream()
      .pipeThrough(new DecompressionStream('deflate'));
    const reader = stream.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      if (size > limit) {
        await reader.cancel();
        return undefined;
      }
      parts.push(value);
    }
  } catch {
    return undefined;
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** `key:json` texts in the EXIF tags of a WebP file (ComfyUI writes Model, Make, …). */
export function readWebpText(bytes: Uint8Array): Map<string, string> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (latin1(bytes.subarray(0, 4)) !== 'RIFF' || latin1(bytes.subarray(8, 12)) !== 'WEBP') {
    return new Map();
  }
  for (let at = 12; at + 8 <= bytes.length;) {
    const length = view.getUint32(at + 4, true);
    // A last chunk that is cut short may still hold whole texts.
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (latin1(bytes.subarray(at, at + 4)) === 'EXIF') return readExifText(body);
    at += 8 + length + (length % 2);
  }
  return new Map();
}

/** ASCII tags of the first TIFF directory that read `key:…`. */
function readExifText(body: Uint8Array): Map<string, string> {
  const texts = new Map<string, string>();
  const tiff = latin1(body.subarray(0, 6)) === 'Exif\0\0' ? body.subarray(6) : body;
  if (tiff.length < 8) return texts;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const little = view.getUint16(0) === 0x4949;
  const directory = view.getUint32(4, little);
  if (directory + 2 > tiff.length) return texts;
  const count = view.getUint16(directory, little);
  let left = MAX_TEXT;
  for (let i = 0, at = directory + 2; i < count && at + 12 <= tiff.length; i++, at += 12) {
    const length = view.getUint32(at + 4, little);
    const ascii = view.getUint16(at + 2, little) === 2;
    const offset = length <= 4 ? at + 8 : view.getUint32(at + 8, little);
    // Many tags may name the same bytes: the limit counts what is read, not what lies in the file.
    if (!ascii || offset + length > tiff.length || length > left) continue;
    left -= length;
    const [key, text] = keyAndText(tiff.subarray(offset, offset + length)) ?? [];
    if (key !== undefined && text !== undefined) texts.set(key, text);
  }
  return texts;
}

/** `key:text`, without the NULs that end it; the key in lower case. */
function keyAndText(bytes: Uint8Array): [key: string, text: string] | undefined {
  const colon = bytes.subarray(0, 1024).indexOf(0x3a);
  const key = latin1(bytes.subarray(0, Math.max(0, colon)));
  if (!/^\w+$/.test(key)) return undefined;
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  const text = decoded(bytes.subarray(colon + 1, Math.max(colon + 1, end)), MAX_TEXT);
  return text === undefined ? undefined : [key.toLowerCase(), text];
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  // In pieces: the arguments of one call go on the stack.
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}
