/** The texts of pictures: in a file beside each, or all in one JSON file. */
import { readFileSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { NoodleError } from '../../errors.ts';
import { strip } from '../../python/string.ts';
import { isFile } from '../../store/paths.ts';
import type { DatasetSettings } from './settings.ts';

export type CaptionSource = Pick<
  DatasetSettings,
  'captionExt' | 'defaultCaption' | 'useShortCaptions'
>;

/** Bytes of one caption's file and of a list; what is larger was not written for this. */
const LARGEST_CAPTION = 1 << 20;
const LARGEST_LIST = 1 << 28;

/** The name of the file with a picture's text: its own with another ending (`.txt`, `txt`). */
export const sidecarOf = (picture: string, ending: string): string =>
  picture.slice(0, picture.length - extname(picture).length) +
  (ending.startsWith('.') ? ending : `.${ending}`);

/**
 * The text of a picture from the file `path` beside it, called `name` in errors: as it is, or the `caption`
 * in a JSON file; the default where there is no file or nothing in it. Throws BAD_INPUT.
 */
export function readCaption(path: string, name: string, source: CaptionSource): string {
  if (!isFile(path)) return source.defaultCaption ?? '';
  const text = readText(path, name, LARGEST_CAPTION);
  const isJson = extname(name).toLowerCase() === '.json';
  return isJson ? captionIn(parse(text, name), name, source) : orDefault(text, source);
}

/** The caption in {caption, caption_short}, of a picture or in a file called `name`. */
export function captionIn(value: unknown, name: string, source: CaptionSource): string {
  if (!isRecord(value)) return fail(name, '{"caption": "…"}', value);
  const { caption = '', caption_short: short } = value;
  const chosen = source.useShortCaptions && short !== undefined ? short : caption;
  return typeof chosen === 'string'
    ? orDefault(chosen, source)
    : fail(name, 'a caption as text', chosen);
}

/** A JSON file of captions for a whole data set: picture name -> {caption, caption_short}. */
export function readCaptionList(path: string, name: string): [picture: string, value: unknown][] {
  const value = parse(readText(path, name, LARGEST_LIST), name);
  return isRecord(value)
    ? Object.entries(value)
    : fail(name, '{"picture.png": {"caption": "…"}}', value);
}

/** UTF-8 with line ends as Python reads them, a byte order mark left out. */
function readText(path: string, name: string, most: number): string {
  const { size } = statSync(path);
  if (size > most) fail(name, `at most ${most} bytes of text`, size);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
    return text.replace(/\r\n?/g, '\n');
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    return fail(name, 'text in UTF-8', 'other bytes');
  }
}

function parse(text: string, name: string): unknown {
  try {
    // Line breaks inside texts are no JSON, but people write them.
    return JSON.parse(text.replace(/\r\n|\r|\n/g, ' '));
  } catch (cause) {
    return fail(name, 'JSON', (cause as Error).message);
  }
}

const orDefault = (text: string, { defaultCaption }: CaptionSource): string =>
  strip(text) === '' ? (defaultCaption ?? text) : text;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function fail(subject: string, expected: string, got: unknown): never {
  throw new NoodleError('BAD_INPUT', { subject, expected, got });
}
