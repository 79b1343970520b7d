/**
 * The workflow inside a picture: PNG text chunks (PNG specification, third edition) and the EXIF
 * block of WebP files. Every length is checked; works on bytes alone, in a browser too.
 */

/** JSON texts found in a picture. */
export interface EmbeddedWorkflow {
  readonly prompt?: string;
  readonly workflow?: string;
}

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** A workflow is text; more than this is a compression bomb. */
const MAX_TEXT = 64 << 20;

/** The `prompt` and `workflow` of a PNG or WebP file; empty when there is none. */
export async function readImageWorkflow(bytes: Uint8Array): Promise<EmbeddedWorkflow> {
  const texts = PNG_SIGNATURE.every((byte, i) => bytes[i] === byte)
    ? await readPngText(bytes)
    : readWebpText(bytes);
  return {
    ...(texts.has('prompt') && { prompt: texts.get('prompt') }),
    ...(texts.has('workflow') && { workflow: texts.get('workflow') }),
  };
}

/** Keyword -> text of tEXt, zTXt and iTXt chunks; broken chunks are left out. */
export async function readPngText(bytes: Uint8Array): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = PNG_SIGNATURE.length; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const type = latin1(bytes.subarray(at + 4, at + 8));
    const end = at + 8 + length;
    if (end + 4 > bytes.length || type === 'IEND') break;
    if (type === 'tEXt' || type === 'zTXt' || type === 'iTXt') {
      const entry = await readTextChunk(type, bytes.subarray(at + 8, end));
      if (entry !== undefined) texts.set(...entry);
    }
    at = end + 4;
  }
  return texts;
}

async function readTextChunk(
  type: 'tEXt' | 'zTXt' | 'iTXt',
  data: Uint8Array,
): Promise<[string, string] | undefined> {
  const nul = data.indexOf(0);
  if (nul < 1) return undefined;
  const key = latin1(data.subarray(0, nul));
  if (type === 'tEXt') return [key, latin1(data.subarray(nul + 1))];
  if (type === 'zTXt') {
    const text = await inflate(data.subarray(nul + 2));
    return text && [key, latin1(text)];
  }
  // keyword NUL, compressed?, method, language NUL, translated keyword NUL, text
  const language = data.indexOf(0, nul + 3);
  const translated = language < 0 ? -1 : data.indexOf(0, language + 1);
  if (translated < 0) return undefined;
  const body = data.subarray(translated + 1);
  const text = data[nul + 1] === 1 ? await inflate(body) : body;
  return text && [key, new TextDecoder().decode(text)];
}

/** Inflates zlib data; undefined when it is broken or too large. */
async function inflate(data: Uint8Array): Promise<Uint8Array | undefined> {
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
      if (size > MAX_TEXT) {
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
    if (at + 8 + length > bytes.length) break;
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
  for (let i = 0, at = directory + 2; i < count && at + 12 <= tiff.length; i++, at += 12) {
    const length = view.getUint32(at + 4, little);
    const ascii = view.getUint16(at + 2, little) === 2;
    const offset = length <= 4 ? at + 8 : view.getUint32(at + 8, little);
    if (!ascii || offset + length > tiff.length) continue;
    const text = new TextDecoder().decode(tiff.subarray(offset, offset + length));
    const entry = /^(\w+):([^]*?)\0*$/.exec(text);
    if (entry !== null) texts.set(entry[1].toLowerCase(), entry[2]);
  }
  return texts;
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  // In pieces: the arguments of one call go on the stack.
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}
