/** What media files say of themselves in their headers: size, words and seed. */
import { type FileHandle, open } from 'node:fs/promises';
import { loadSharp } from '../../media/sharp.ts';
import { parseJson } from '../../workflow/lossless-json.ts';
import { readPngText, readWebpText } from '../../workflow/png-text.ts';
import { promptSummary } from '../../workflow/prompt-summary.ts';
import type { MediaFile } from './media-files.ts';

export interface FileDetails {
  readonly width: number | null;
  readonly height: number | null;
  /** Words of the prompt it was made from; '' when it does not say. */
  readonly text: string;
  readonly seed: string | null;
}

const NOTHING: FileDetails = { width: null, height: null, text: '', seed: null };
/** Bytes that are read first: the prompt of a usual PNG lies within. */
const HEAD = 16 * 1024;
/** A prompt that is longer than this is not looked for. */
const LONGEST_PROMPT = 4 * 1024 * 1024;
/** Chunks of a file that are looked at. */
const MOST_CHUNKS = 1000;
/** Characters of a prompt that are kept for searching. */
const LONGEST_TEXT = 2000;
const AT_ONCE = 16;

/** Reads details of many files and remembers them until the files change. */
export function createFileDetails(): (files: readonly MediaFile[]) => Promise<FileDetails[]> {
  const known = new Map<string, { bytes: number; modified: number; details: FileDetails }>();

  const detailsOf = async (file: MediaFile): Promise<FileDetails> => {
    const { absolute, bytes, modified } = file;
    const last = known.get(absolute);
    if (last?.bytes === bytes && last.modified === modified) return last.details;
    const details = await readDetails(file).catch(() => NOTHING);
    known.set(absolute, { bytes, modified, details });
    return details;
  };

  return async (files) => {
    const all: FileDetails[] = [];
    for (let i = 0; i < files.length; i += AT_ONCE) {
      all.push(...(await Promise.all(files.slice(i, i + AT_ONCE).map(detailsOf))));
    }
    return all;
  };
}

async function readDetails({ absolute, kind }: MediaFile): Promise<FileDetails> {
  if (kind !== 'image') return NOTHING;
  const file = await open(absolute);
  try {
    const head = await readAt(file, 0, HEAD);
    if (head.length > 24 && head.readUInt32BE(0) === 0x89504e47)
      return await pngDetails(file, head);
    const text = isWebp(head) ? await webpPrompt(file) : undefined;
    return { ...(await pictureSize(absolute)), ...wordsOf(text) };
  } finally {
    await file.close();
  }
}

async function pngDetails(file: FileHandle, head: Buffer): Promise<FileDetails> {
  const size = { width: head.readUInt32BE(16), height: head.readUInt32BE(20) };
  return { ...size, ...wordsOf(await pngPrompt(file, head)) };
}

/** The `prompt` text of a PNG, whose texts stand before the picture. */
async function pngPrompt(file: FileHandle, head: Buffer): Promise<string | undefined> {
  const signature = head.subarray(0, 8);
  for (let at = 8, i = 0; i < MOST_CHUNKS; i++) {
    const start = at + 16 <= head.length ? head.subarray(at, at + 16) : await readAt(file, at, 16);
    if (start.length < 16) return undefined;
    const length = start.readUInt32BE(0);
    const type = start.toString('latin1', 4, 8);
    if (type === 'IDAT' || type === 'IEND') return undefined;
    const isPrompt = /^[tz]EXt|^iTXt/.test(type) && start.toString('latin1', 8, 15) === 'prompt\0';
    if (isPrompt && length <= LONGEST_PROMPT) {
      const chunk = await readAt(file, at, length + 12);
      return (await readPngText(Buffer.concat([signature, chunk]))).get('prompt');
    }
    at += length + 12;
  }
  return undefined;
}

const isWebp = (head: Buffer): boolean =>
  head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'WEBP';

/** The `prompt` text in the EXIF block of a WebP file, which stands behind the picture. */
async function webpPrompt(file: FileHandle): Promise<string | undefined> {
  for (let at = 12, i = 0; i < MOST_CHUNKS; i++) {
    const start = await readAt(file, at, 8);
    if (start.length < 8) return undefined;
    const length = start.readUInt32LE(4);
    if (start.toString('latin1', 0, 4) === 'EXIF') {
      if (length > 4 * LONGEST_PROMPT) return undefined;
      const chunk = await readAt(file, at, length + 8);
      return readWebpText(Buffer.concat([Buffer.from('RIFF\0\0\0\0WEBP'), chunk])).get('prompt');
    }
    at += 8 + length + (length % 2);
  }
  return undefined;
}

function wordsOf(prompt: string | undefined): Pick<FileDetails, 'text' | 'seed'> {
  if (prompt === undefined) return { text: '', seed: null };
  try {
    const { text, seed } = promptSummary(parseJson(prompt));
    return { text: text.slice(0, LONGEST_TEXT), seed };
  } catch {
    return { text: '', seed: null };
  }
}

async function pictureSize(path: string): Promise<Pick<FileDetails, 'width' | 'height'>> {
  const sharp = await loadSharp();
  try {
    const { width, height } = await sharp(path, { failOn: 'none' }).metadata();
    return { width, height };
  } catch {
    return { width: null, height: null };
  }
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, at);
  return buffer.subarray(0, bytesRead);
}
