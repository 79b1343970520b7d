/** How files become assets: uploads, files that the server wrote, and hashes it knows. */
import { closeSync, fsyncSync, mkdirSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { NoodleError } from '../errors.ts';
import { TEXT_MODELS, sniffKind } from '../media/sniff.ts';
import { resolveInside } from '../store/paths.ts';
import { publish, temporaryBeside } from '../store/write.ts';
import { describeFile, mimeOf } from './describe.ts';
import { type HashedFile, hashFile } from './hash.ts';
import { type Asset, type Content, type NewAsset, type Records, readContent } from './records.ts';
import { type AssetRoots, destinationOf, loads, placeOf, servablePath } from './roots.ts';
import type { AssetDb } from './schema.ts';

export interface AssetRequest {
  readonly owner: string;
  readonly name?: string;
  /** Trimmed, each once. */
  readonly tags: readonly string[];
  /** JSON text of an object. */
  readonly userMetadata: string;
  readonly mime?: string;
  /** UUID of another asset. */
  readonly previewId?: string;
}

export interface UploadRequest extends AssetRequest {
  /** The uploaded bytes; removed or moved. */
  readonly path: string;
  /** The client's name of the file. */
  readonly fileName: string;
  /** Hex; what the client says the hash is. */
  readonly hash?: string;
}

export interface WrittenFile {
  /** Absolute path of a file that the server itself just wrote or found equal. */
  readonly path: string;
  readonly owner: string;
  readonly name: string;
  readonly tags: readonly string[];
  /** Bytes were written now; else what was there stayed. */
  readonly written: boolean;
}

export interface OutputFile {
  /** The asset's UUID, which the client was told already. */
  readonly uuid: string;
  readonly path: string;
  readonly job: string;
}

/** An asset and whether its bytes came to the server with it. */
export interface Ingested {
  readonly asset: Asset;
  readonly createdNew: boolean;
}

export interface Ingest {
  upload(request: UploadRequest): Promise<Ingested>;
  /** Undefined when no file with this hash is here. */
  fromHash(hash: string, request: AssetRequest): Promise<Ingested | undefined>;
  register(file: WrittenFile): Promise<Asset>;
  registerOutput(file: OutputFile): Promise<void>;
  /** A file with these bytes that may be served, not a temporary one. */
  findByHash(hash: string): Content | undefined;
}

const LONGEST_NAME = 512;
const LONGEST_ENDING = 16;

/** The ways in; `newId` makes UUIDs. */
export function createIngest(
  db: AssetDb,
  records: Records,
  roots: AssetRoots,
  newId: () => string,
): Ingest {
  const findByHash = (hash: string): Content | undefined =>
    db
      .sql('SELECT * FROM contents WHERE hash = ? AND missing = 0 ORDER BY created, id')
      .all(hash)
      .map(readContent)
      .find((content) => {
        if (placeOf(roots, content.path)?.root === 'temp') return false;
        const stat = statSync(content.path, { throwIfNoEntry: false });
        return (
          stat?.size === content.size &&
          stat.mtimeMs === content.mtime &&
          servablePath(roots, content.path) !== undefined
        );
      });

  const previewOf = (request: AssetRequest): number | undefined => {
    if (request.previewId === undefined) return undefined;
    const preview = records.find(request.previewId, request.owner);
    if (preview !== undefined) return preview.id;
    throw new NoodleError('INVALID_BODY', {
      reason: `preview_id '${request.previewId}' does not name an asset`,
    });
  };

  /** One more asset on content that is there. */
  const addTo = async (content: Content, request: AssetRequest, name: string): Promise<Asset> => {
    const metadata = await describe(content);
    return db.transaction(() =>
      records.add(content, {
        uuid: newId(),
        owner: request.owner,
        name,
        tags: request.tags,
        metadata,
        mime: request.mime ?? mimeOf(name) ?? mimeOf(content.path),
        preview: previewOf(request),
        userMetadata: request.userMetadata,
      }),
    );
  };

  const describe = ({ path, size }: Content): Promise<string> => {
    const place = placeOf(roots, path);
    return describeFile(path, place?.loaderPath ?? basename(path), size);
  };

  /** The content at a path, as the file is now; what the path held before becomes missing. */
  const contentAt = (path: string, facts: HashedFile, written: boolean): Content => {
    const live = records.live(path);
    const same =
      live !== undefined &&
      (live.hash === facts.hash ||
        // Not hashed yet is no sign of other bytes, as long as nobody wrote here.
        (live.hash === undefined && !written && live.size === facts.size));
    if (same) {
      records.refresh(live.id, facts, facts.hash);
      return { ...live, ...facts };
    }
    if (live !== undefined) records.markMissing(live.id);
    return records.addContent(path, facts, facts.hash);
  };

  const upload = async (request: UploadRequest): Promise<Ingested> => {
    const hashed = await hashFile(request.path);
    if (request.hash !== undefined && request.hash !== hashed.hash) {
      throw new NoodleError('HASH_MISMATCH', {
        expected: `blake3:${request.hash}`,
        got: `blake3:${hashed.hash}`,
      });
    }
    previewOf(request);
    const name = labelOf(request.name ?? request.fileName);
    const tagged = { ...request, tags: [...new Set([...request.tags, 'uploaded'])] };
    const present = findByHash(hashed.hash);
    if (present !== undefined) {
      return { asset: await addTo(present, tagged, name), createdNew: false };
    }
    const path = destination(roots, request, hashed.hash);
    await store(request.path, path);
    const { size, mtimeMs } = statSync(path);
    const content = db.transaction(() =>
      contentAt(path, { hash: hashed.hash, size, mtime: mtimeMs }, true),
    );
    return { asset: await addTo(content, tagged, name), createdNew: true };
  };

  return {
    upload: async (request) => {
      try {
        return await upload(request);
      } finally {
        rmSync(request.path, { force: true });
      }
    },
    fromHash: async (hash, request) => {
      const content = findByHash(hash);
      if (content === undefined) return undefined;
      const name = labelOf(request.name ?? hash);
      return { asset: await addTo(content, request, name), createdNew: false };
    },
    register: async ({ path, owner, name, tags, written }) => {
      const hashed = await hashFile(path);
      const content = db.transaction(() => contentAt(path, hashed, written));
      const all = [...new Set([...(placeOf(roots, path)?.tags ?? []), ...tags, 'uploaded'])];
      const request: AssetRequest = { owner, tags: all.sort(), userMetadata: '{}' };
      return addTo(content, request, labelOf(name));
    },
    registerOutput: async ({ uuid, path, job }) => {
      const place = placeOf(roots, path);
      const stat = statSync(path, { throwIfNoEntry: false });
      if (place === undefined || !stat?.isFile()) return;
      const facts = { size: stat.size, mtime: stat.mtimeMs };
      const name = basename(path);
      // In one go, before anything is awaited: whoever asks for the asset next finds it.
      const content = db.transaction(() => {
        const live = records.live(path);
        const same = live?.size === facts.size && live.mtime === facts.mtime;
        if (live !== undefined && !same) records.markMissing(live.id);
        const current = same ? live : records.addContent(path, facts);
        const asset: NewAsset = {
          uuid,
          owner: '',
          name,
          tags: place.tags,
          mime: mimeOf(path),
          job,
        };
        records.add(current, asset);
        return current;
      });
      records.setMetadata(uuid, await describe(content));
    },
    findByHash,
  };
}

/** A name for people: no folders, not endless. */
function labelOf(name: string): string {
  const label = name.trim().split(/[\\/]/).at(-1)!.slice(0, LONGEST_NAME);
  return label === '' ? 'upload' : label;
}

/**
 * Where an upload is stored: `<hash><ending>` in the folder its tags name. Throws INVALID_BODY
 * without one, UNSUPPORTED_MEDIA_TYPE for content that does not belong there.
 */
function destination(roots: AssetRoots, request: UploadRequest, hash: string): string {
  if (request.tags.length === 0) {
    throw new NoodleError('INVALID_BODY', { reason: 'tags are required for new uploads' });
  }
  const { base, model } = destinationOf(roots, request.tags);
  const ending = extname(labelOf(request.fileName || (request.name ?? ''))).toLowerCase();
  const name = ending.length <= LONGEST_ENDING ? hash + ending : hash;
  const refuse = (reason: string): never => {
    throw new NoodleError('UNSUPPORTED_MEDIA_TYPE', { reason });
  };
  const kind = sniffKind(head(request.path));
  if (model !== undefined) {
    if (!loads(model, name)) refuse(`'${model.name}' holds no files that end in '${ending}'`);
    if (kind === 'text') refuse('the content is text, not a model');
  } else if (kind === 'text' ? !TEXT_MODELS.has(ending) : kind === 'unknown') {
    refuse('the content is no picture, film, sound or 3D file');
  }
  mkdirSync(base, { recursive: true });
  resolveInside(base, name);
  return join(base, name);
}

function head(path: string): Uint8Array {
  const bytes = Buffer.alloc(1024);
  const file = openSync(path, 'r');
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(file);
  }
}

/** Moves a finished upload to its place, through a copy where that is on another disk. */
async function store(from: string, to: string): Promise<void> {
  const file = openSync(from, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    publish(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    const beside = temporaryBeside(to);
    try {
      await copyFile(from, beside);
      publish(beside, to);
    } catch (failure) {
      rmSync(beside, { force: true });
      throw failure;
    }
  }
}
