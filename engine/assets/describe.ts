/** What a file says of itself: the `metadata` of an asset, as ComfyUI's extractor names it. */
import { closeSync, openSync, readSync } from 'node:fs';
import { extname } from 'node:path';
import { pictureFormat } from '../media/formats/signatures.ts';
import { loadSharp } from '../media/sharp.ts';
import { UNKNOWN_TYPE, contentType } from '../store/content-type.ts';
import { safetensorsMetadata } from '../store/model-details.ts';
import { type Json, parseJson, stringifyJson } from '../workflow/lossless-json.ts';

const LONGEST_HEADER = 8 * 1024 * 1024;
const WORDS = 100;

/** Media type by name without parameters; undefined when unknown. */
export function mimeOf(name: string): string | undefined {
  const type = contentType(name).split(';')[0];
  return type === UNKNOWN_TYPE ? undefined : type;
}

/**
 * JSON text of a file's metadata; what cannot be read is left out. `name` is the one that loaders
 * know the file by.
 */
export async function describeFile(path: string, name: string, size: number): Promise<string> {
  const mime = mimeOf(path);
  const ending = extname(path).slice(1).toLowerCase();
  const fields: Record<string, Json> = { filename: name, content_length: size, format: ending };
  if (mime !== undefined) fields.content_type = mime;
  if (ending === 'safetensors' || ending === 'sft') Object.assign(fields, modelFields(path));
  if (mime?.startsWith('image/')) Object.assign(fields, await pictureFields(path));
  return stringifyJson(fields);
}

async function pictureFields(path: string): Promise<Record<string, Json>> {
  const size = pngSize(path) ?? (await sharpSize(path));
  return size === undefined ? {} : { kind: 'image', ...size };
}

/** The size in a PNG's header; saved pictures are PNGs, and there may be very many. */
function pngSize(path: string): { width: number; height: number } | undefined {
  const head = Buffer.alloc(24);
  try {
    const file = openSync(path, 'r');
    try {
      if (readSync(file, head, 0, head.length, 0) < head.length) return undefined;
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
  if (pictureFormat(head) !== 'png') return undefined;
  const [width, height] = [head.readUInt32BE(16), head.readUInt32BE(20)];
  return width > 0 && height > 0 ? { width, height } : undefined;
}

async function sharpSize(path: string): Promise<{ width: number; height: number } | undefined> {
  try {
    const sharp = await loadSharp();
    const { width, height } = await sharp(path, { failOn: 'none' }).metadata();
    return { width, height };
  } catch {
    return undefined;
  }
}

/** Names of the fields and where trainers and model sites write them; the first that is there. */
const MODEL_FIELDS: readonly (readonly [field: string, ...keys: string[]])[] = [
  ['base_model', 'ss_base_model_version', 'modelspec.base_model', 'base_model'],
  ['air', 'air', 'modelspec.air'],
  ['source_url', 'source_url'],
  ['source_arn', 'source_arn'],
  ['repo_url', 'repo_url'],
  ['preview_url', 'preview_url'],
  ['source_hash', 'source_hash', 'sshs_model_hash'],
  ['repo_id', 'repo_id', 'hf_repo_id'],
  ['revision', 'revision', 'hf_revision'],
  ['filepath', 'filepath', 'hf_filepath'],
  ['resolve_url', 'resolve_url', 'hf_url'],
];

function modelFields(path: string): Record<string, Json> {
  const metadata = safetensorsMetadata(path, LONGEST_HEADER);
  if (metadata === undefined) return {};
  const fields: Record<string, Json> = {};
  for (const [field, ...keys] of MODEL_FIELDS) {
    const value = keys.map((key) => metadata[key]).find((text) => text);
    if (value !== undefined) fields[field] = value.slice(0, 2048);
  }
  const words = trainedWords(metadata);
  if (words.length > 0) fields.trained_words = words;
  if (metadata.ssmd_cover_images) fields.has_preview_images = true;
  return fields;
}

function trainedWords(metadata: Readonly<Record<string, string>>): string[] {
  const frequency = parsed(metadata.ss_tag_frequency);
  if (isRecord(frequency)) {
    const words = Object.values(frequency).flatMap((set) =>
      isRecord(set) ? Object.keys(set) : [],
    );
    if (words.length > 0) return [...new Set(words)].sort().slice(0, WORDS);
  }
  const text = metadata.trained_words ?? '';
  const list = parsed(text);
  const words = Array.isArray(list) ? list.map(String) : text.split(',');
  return words
    .map((word) => word.trim())
    .filter((word) => word !== '')
    .slice(0, WORDS);
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : parseJson(text);
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
