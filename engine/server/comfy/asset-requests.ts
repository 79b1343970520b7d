/** What clients may ask of the assets API, checked; refusals carry ComfyUI's codes. */
import type { Request } from 'express';
import { parseHash } from '../../assets/hash-text.ts';
import type { AssetRequest } from '../../assets/ingest.ts';
import { type Order, SORTS, type Sort } from '../../assets/cursor.ts';
import type { AssetFilter, AssetPage } from '../../assets/list.ts';
import type { TagQuery } from '../../assets/tags.ts';
import { NoodleError } from '../../errors.ts';
import { Float, type Json, parseJson, stringifyJson } from '../../workflow/lossless-json.ts';
import { bodyJson } from '../answer.ts';

const MAX_FILTER_TAGS = 100;
const MAX_TAGS = 1000;
/** Characters of a tag or a name. */
const LONGEST = 512;
/** Characters of user_metadata as JSON. */
const LONGEST_METADATA = 1024 * 1024;
const MIME = /^[\w!#$&^.+-]{1,64}\/[\w!#$&^.+-]{1,64}(\s*;[\x20-\x7e]{0,100})?$/;

type Refusal = 'INVALID_QUERY' | 'INVALID_TAG_FILTER' | 'INVALID_BODY';

const refuse = (code: Refusal, reason: string, details: object = {}): never => {
  throw new NoodleError(code, { reason, details });
};

/** The query of GET /api/assets; throws INVALID_QUERY, INVALID_TAG_FILTER, UNSUPPORTED_PARAM. */
export function readPage(req: Request, owner: string): AssetPage {
  const after = single(req, 'after');
  return {
    ...readFilter(req, owner),
    limit: integer(req, 'limit', { min: 1, max: 500, absent: 20 }),
    offset: integer(req, 'offset', { min: 0, max: Number.MAX_SAFE_INTEGER, absent: 0 }),
    sort: choice<Sort>(req, 'sort', SORTS, 'created_at'),
    order: choice<Order>(req, 'order', ['desc', 'asc'], 'desc'),
    after,
  };
}

/** The query of GET /api/assets/tags/refine. */
export function readRefine(req: Request, owner: string): { filter: AssetFilter; limit: number } {
  const { hash: _, ...filter } = readFilter(req, owner);
  return { filter, limit: integer(req, 'limit', { min: 1, max: 1000, absent: 100 }) };
}

/** The query of GET /api/tags. */
export function readTagQuery(req: Request, owner: string): TagQuery {
  const given = single(req, 'prefix');
  const prefix = given?.trim();
  if (given === '' || (prefix !== undefined && prefix.length > 256)) {
    invalidQuery('prefix', '1 to 256 characters');
  }
  return {
    owner,
    prefix: prefix === '' ? undefined : prefix,
    limit: integer(req, 'limit', { min: 1, max: 1000, absent: 100 }),
    offset: integer(req, 'offset', { min: 0, max: 10_000_000, absent: 0 }),
    order: choice(req, 'order', ['count_desc', 'name_asc'], 'count_desc'),
    includeZero: boolean(req, 'include_zero', true),
  };
}

/** Filters of a list; `include_tags` and `exclude_tags` are old names of `tags_all`, `tags_none`. */
function readFilter(req: Request, owner: string): AssetFilter {
  if (req.query.metadata_filter !== undefined) {
    throw new NoodleError('UNSUPPORTED_PARAM', { name: 'metadata_filter' });
  }
  const [include, exclude, all, any, none] = [
    ...['include_tags', 'exclude_tags', 'tags_all', 'tags_any', 'tags_none'],
  ].map((name) => filterTags(req, name));
  const nameContains = single(req, 'name_contains');
  const hash = single(req, 'hash');
  const filter = {
    owner,
    nameContains,
    // A text that is no hash is the hash of nothing.
    hash: hash === undefined ? undefined : (parseHash(hash) ?? ''),
  };
  if (all.length + any.length + none.length === 0) {
    return { ...filter, all: include, any: [], none: exclude };
  }
  notBoth('include_tags', include, 'tags_all', all);
  notBoth('exclude_tags', exclude, 'tags_none', none);
  const wanted = all.length > 0 ? all : include;
  const unwanted = none.length > 0 ? none : exclude;
  const conflicting = wanted.filter((tag) => unwanted.includes(tag)).sort();
  if (conflicting.length > 0) {
    refuse('INVALID_TAG_FILTER', `nothing can match: ${conflicting.join(', ')} wanted and not`, {
      conflicting_tags: conflicting,
      parameters: [
        all.length > 0 ? 'tags_all' : 'include_tags',
        none.length > 0 ? 'tags_none' : 'exclude_tags',
      ],
    });
  }
  return { ...filter, all: wanted, any, none: unwanted };
}

function notBoth(oldName: string, old: string[], name: string, tags: string[]): void {
  if (old.length === 0 || tags.length === 0) return;
  const reason = `'${oldName}' and '${name}' are the same filter: use '${name}'`;
  refuse('INVALID_TAG_FILTER', reason, { parameters: [oldName, name] });
}

/** A tag parameter: comma-separated, repeated, or both. */
function filterTags(req: Request, name: string): string[] {
  const value = req.query[name];
  const texts = (Array.isArray(value) ? value : [value]).filter((text) => typeof text === 'string');
  const tags = uniqueTags(texts.flatMap((text) => text.split(',')));
  if (tags.length > MAX_FILTER_TAGS) {
    refuse('INVALID_TAG_FILTER', `'${name}': at most ${MAX_FILTER_TAGS} tags, got ${tags.length}`, {
      parameter: name,
      count: tags.length,
      max: MAX_FILTER_TAGS,
    });
  }
  return tags;
}

const uniqueTags = (texts: readonly string[]): string[] => [
  ...new Set(texts.map((text) => text.trim()).filter((text) => text !== '')),
];

function invalidQuery(name: string, expected: string): never {
  return refuse('INVALID_QUERY', `${name}: expected ${expected}`, {
    errors: [{ loc: [name], msg: `expected ${expected}` }],
  });
}

function single(req: Request, name: string): string | undefined {
  const value = req.query[name];
  if (value === undefined || typeof value === 'string') return value;
  return invalidQuery(name, 'one value');
}

function integer(
  req: Request,
  name: string,
  { min, max, absent }: { min: number; max: number; absent: number },
): number {
  const text = single(req, name)?.trim();
  if (text === undefined) return absent;
  const value = /^\+?\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  return invalidQuery(name, `an integer from ${min} to ${max}`);
}

function boolean(req: Request, name: string, absent: boolean): boolean {
  const text = single(req, name)?.trim().toLowerCase();
  if (text === undefined) return absent;
  if (/^(true|1|yes|on|t|y)$/.test(text)) return true;
  if (/^(false|0|no|off|f|n)$/.test(text)) return false;
  return invalidQuery(name, 'true or false');
}

function choice<T extends string>(req: Request, name: string, choices: readonly T[], absent: T): T {
  const text = single(req, name);
  if (text === undefined) return absent;
  const found = choices.find((value) => value === text);
  return found ?? invalidQuery(name, choices.join(', '));
}

type Fields = Readonly<Record<string, Json | undefined>>;

/** A JSON object body; throws INVALID_JSON for what is no JSON, INVALID_BODY for other JSON. */
export function readObject(req: Request): Fields {
  let body: Json;
  try {
    body = bodyJson(req);
  } catch (cause) {
    throw new NoodleError('INVALID_JSON', undefined, { cause });
  }
  return isObject(body) ? body : refuse('INVALID_BODY', 'the body must be a JSON object');
}

const isObject = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Float);

/** The body of PUT /api/assets/{id}. */
export function readChanges(body: Fields): {
  name?: string;
  userMetadata?: string;
  previewId?: string;
} {
  const name = optionalText(body, 'name');
  const previewId = optionalText(body, 'preview_id')?.toLowerCase();
  const { user_metadata: metadata } = body;
  const userMetadata =
    metadata === undefined || metadata === null ? undefined : objectText(metadata);
  if (name === undefined && previewId === undefined && userMetadata === undefined) {
    refuse('INVALID_BODY', 'at least one of name, user_metadata, preview_id is needed');
  }
  return { name, userMetadata, previewId };
}

/** The body of POST and DELETE /api/assets/{id}/tags. */
export function readTags({ tags }: Fields): string[] {
  if (!Array.isArray(tags) || tags.length === 0 || !tags.every((tag) => typeof tag === 'string')) {
    return refuse('INVALID_BODY', 'tags: expected a list of at least one text');
  }
  return checkedTags(tags);
}

/** The body of POST /api/assets/from-hash. */
export function readFromHash(body: Fields, owner: string): { hash: string; request: AssetRequest } {
  const hash = parseHash(optionalText(body, 'hash') ?? '');
  if (hash === undefined) {
    return refuse('INVALID_BODY', "hash: expected 'blake3:<64 hex digits>'");
  }
  const { tags, user_metadata: metadata } = body;
  const list =
    typeof tags === 'string' ? tags.split(',') : Array.isArray(tags) ? tags.map(String) : [];
  return {
    hash,
    request: {
      ...readLabels(body, owner),
      tags: checkedTags(list),
      userMetadata: metadata === undefined || metadata === null ? '{}' : objectText(metadata),
    },
  };
}

/** The text fields of an upload form; `tags` may come as JSON, with commas, and repeatedly. */
export function readForm(
  form: Readonly<Record<string, unknown>>,
  owner: string,
): AssetRequest & { hash?: string } {
  if (form.id !== undefined) throw new NoodleError('UNSUPPORTED_FIELD', { name: 'id' });
  const fields: Record<string, Json> = {};
  for (const [name, value] of Object.entries(form)) {
    if (typeof value === 'string' && value.trim() !== '') fields[name] = value.trim();
  }
  const { tags } = form;
  const texts = (Array.isArray(tags) ? tags : [tags]).filter((text) => typeof text === 'string');
  const metadata = fields.user_metadata as string | undefined;
  const hash = fields.hash === undefined ? undefined : parseHash(fields.hash as string);
  if (fields.hash !== undefined && hash === undefined) throw new NoodleError('INVALID_HASH');
  return {
    ...readLabels(fields, owner),
    tags: checkedTags(texts.flatMap(tagTexts)),
    userMetadata: metadata === undefined ? '{}' : objectText(jsonValue(metadata)),
    hash,
  };
}

function readLabels(
  fields: Fields,
  owner: string,
): Pick<AssetRequest, 'owner' | 'name' | 'mime' | 'previewId'> {
  const mime = optionalText(fields, 'mime_type')?.trim() || undefined;
  if (mime !== undefined && !MIME.test(mime)) refuse('INVALID_BODY', 'mime_type: not a media type');
  const name = optionalText(fields, 'name');
  const previewId = optionalText(fields, 'preview_id')?.trim().toLowerCase() || undefined;
  return { owner, name, mime, previewId };
}

function tagTexts(text: string): string[] {
  if (!text.trim().startsWith('[')) return text.split(',');
  const list = jsonValue(text);
  return Array.isArray(list) ? list.map(String) : text.split(',');
}

function jsonValue(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function checkedTags(texts: readonly string[]): string[] {
  const tags = uniqueTags(texts);
  if (tags.length > MAX_TAGS) refuse('INVALID_BODY', `tags: at most ${MAX_TAGS}`);
  const long = tags.find((tag) => tag.length > LONGEST);
  if (long !== undefined) refuse('INVALID_BODY', `tags: at most ${LONGEST} characters each`);
  return tags;
}

function optionalText(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && value.length <= LONGEST) return value;
  return refuse('INVALID_BODY', `${name}: expected a text of at most ${LONGEST} characters`);
}

function objectText(value: Json | undefined): string {
  if (!isObject(value)) return refuse('INVALID_BODY', 'user_metadata: expected a JSON object');
  const text = stringifyJson(value);
  if (text.length <= LONGEST_METADATA) return text;
  return refuse('INVALID_BODY', `user_metadata: at most ${LONGEST_METADATA} characters`);
}
