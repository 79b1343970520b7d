/**
 * What was encoded once, in files beside the pictures (`_latent_cache`, `_t_e_cache`, named as ai-toolkit
 * names them). A file says what it was made of: one that was made of something else, is broken, or was put
 * there by another program is made anew.
 */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { basename, dirname, extname } from 'node:path';
import type { NDArray } from '../../array/nd.ts';
import { NoodleError } from '../../errors.ts';
import { fileHash } from '../../media/load-image.ts';
import { type Links, resolveInside } from '../../store/paths.ts';
import { writeFileAtomic } from '../../store/write.ts';
import { readTensor } from '../../weights/read.ts';
import { openSafetensors } from '../../weights/safetensors.ts';
import { encodeSafetensors, floatTensor } from '../../weights/write.ts';
import { stringifyJson } from '../../workflow/lossless-json.ts';
import type { Placed } from './item.ts';

const LATENTS = '_latent_cache';
const TEXTS = '_t_e_cache';

export const CACHE_FOLDERS: readonly string[] = [LATENTS, TEXTS];

/** Where something is kept, and what it is made of. */
export interface CachePlace {
  readonly path: string;
  readonly madeOf: string;
}

export type Arrays = Readonly<Record<string, NDArray>>;

/** A data set's folder, and where links in it may lead. */
interface Root {
  readonly root: string;
  readonly links: Links;
}

/**
 * The place of a picture's latents; it changes with the picture's bytes. `space`: whose latents they are (the
 * autoencoder); `version`: how they are made.
 */
export async function latentPlace(
  set: Root,
  { item, placement: { scaled, crop } }: Placed,
  { space, version = 1 }: { readonly space: string; readonly version?: number },
): Promise<CachePlace> {
  const key = {
    filename: basename(item.name),
    scale_to_width: scaled.width,
    scale_to_height: scaled.height,
    crop_x: crop.x,
    crop_y: crop.y,
    crop_width: crop.width,
    crop_height: crop.height,
    latent_space_version: space,
    latent_version: version,
    flip_x: item.flipX || undefined,
    flip_y: item.flipY || undefined,
  };
  return placeOf(set, LATENTS, item.name, key, await fileHash(item.path));
}

/** The place of a text's encoding. `space`: whose encoding it is; `version`: how it is made. */
export function textPlace(
  set: Root,
  picture: string,
  caption: string,
  { space, version = 1 }: { readonly space: string; readonly version?: number },
): CachePlace {
  const key = { caption, text_embedding_space_version: space, text_embedding_version: version };
  return placeOf(set, TEXTS, picture, key, '');
}

/** Bytes of a stem in a name; the hash tells names apart that are cut. */
const LONGEST_STEM = 200;

function placeOf(
  { root, links }: Root,
  folder: string,
  picture: string,
  key: Readonly<Record<string, unknown>>,
  content: string,
): CachePlace {
  const json = stringifyJson(Object.fromEntries(Object.entries(key).sort(byName)));
  const hash = createHash('md5').update(json).digest('base64url');
  const stem = [...basename(picture, extname(picture))];
  while (Buffer.byteLength(stem.join('')) > LONGEST_STEM) stem.pop();
  const name = `${dirname(picture)}/${folder}/${stem.join('')}_${hash}.safetensors`;
  const madeOf = createHash('sha256').update(`${json}\n${content}`).digest('hex');
  return { path: resolveInside(root, name, { links }), madeOf };
}

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);

/** The name of what a file was made of in its metadata. */
const MADE_OF = 'noodle_made_of';

/** What is kept at a place; where nothing (whole) is, it is made and put there. Throws FILE_WRITE. */
export async function cached(place: CachePlace, make: () => Promise<Arrays>): Promise<Arrays> {
  const known = await readKept(place);
  if (known) return known;
  const made = await make();
  const tensors = Object.entries(made).map(
    ([name, { data, shape }]) => [name, floatTensor(data, shape)] as const,
  );
  const bytes = encodeSafetensors(new Map(tensors), { [MADE_OF]: place.madeOf });
  const name = basename(place.path);
  try {
    mkdirSync(dirname(place.path), { recursive: true });
    writeFileAtomic(place.path, bytes);
  } catch (cause) {
    const { code = String(cause) } = cause as NodeJS.ErrnoException;
    throw new NoodleError('FILE_WRITE', { name, reason: code }, { cause });
  }
  return made;
}

/** Nothing where the file is missing, not whole, or of something else. */
async function readKept({ path, madeOf }: CachePlace): Promise<Arrays | undefined> {
  try {
    const file = await openSafetensors(path);
    if (file.metadata[MADE_OF] !== madeOf) return undefined;
    const arrays: Record<string, NDArray> = {};
    for (const name of file.tensors.keys()) arrays[name] = await readTensor(file, name);
    return arrays;
  } catch {
    return undefined;
  }
}
