/** A user's settings: ComfyUI's `comfy.settings.json` in the user's folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NoodleError } from '../errors.ts';
import { Float, type Json, parseJson, stringifyJson } from '../workflow/lossless-json.ts';
import { writeFileAtomic } from './write.ts';

export type Settings = { [id: string]: Json };

const fileOf = (userRoot: string): string => join(userRoot, 'comfy.settings.json');

/** All settings; an unreadable or damaged file counts as empty, as in ComfyUI. */
export function readSettings(userRoot: string): Settings {
  try {
    return asObject(parseJson(readFileSync(fileOf(userRoot), 'utf8'))) ?? {};
  } catch {
    return {};
  }
}

/** Replaces the given settings and keeps the rest; throws BAD_INPUT unless `changes` is an object. */
export function mergeSettings(userRoot: string, changes: Json): void {
  const object = asObject(changes);
  if (object === undefined) {
    throw new NoodleError('BAD_INPUT', {
      subject: 'settings',
      expected: 'an object',
      got: changes === null ? 'null' : typeof changes,
    });
  }
  const settings = { ...readSettings(userRoot), ...object };
  writeFileAtomic(fileOf(userRoot), stringifyJson(settings, { indent: 4 }));
}

const asObject = (value: Json): Settings | undefined =>
  value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Float)
    ? value
    : undefined;
