/** What the assets' thread does on request. Arguments and results cross threads: plain data only. */
import { randomUUID } from 'node:crypto';
import { NoodleError } from '../errors.ts';
import { stringifyJson } from '../workflow/lossless-json.ts';
import { assetJson } from './answer.ts';
import { mimeOf } from './describe.ts';
import {
  type AssetRequest,
  type Ingested,
  type OutputFile,
  type UploadRequest,
  type WrittenFile,
  createIngest,
} from './ingest.ts';
import { type AssetFilter, type AssetPage, createLister } from './list.ts';
import { type Asset, createRecords } from './records.ts';
import {
  type AssetRoots,
  type RootName,
  SCAN_ROOTS,
  basesOf,
  pathRange,
  servablePath,
} from './roots.ts';
import { Scanner } from './scan/scanner.ts';
import { openAssetDb } from './schema.ts';
import { type TagChange, type TagQuery, addTags, listTags, removeTags } from './tags.ts';

export interface AssetSettings {
  /** The database. */
  readonly file: string;
  readonly roots: AssetRoots;
  /** --enable-asset-hashing: hash what scans find, and look things up by hash. */
  readonly hashing: boolean;
  /** Look through all folders at once. */
  readonly scanAtStart: boolean;
}

/** A file that may be sent. */
export interface AssetFile {
  /** Absolute, every link followed. */
  readonly path: string;
  readonly name: string;
  readonly mime?: string;
}

/** The asset of an uploaded file, as POST /upload/image answers it. */
export interface UploadedAsset {
  readonly id: string;
  readonly name: string;
  readonly asset_hash?: string;
  readonly size: number;
  readonly mime_type?: string;
  readonly tags: readonly string[];
}

/** Which asset, and who asks. */
export interface AssetKey {
  readonly id: string;
  readonly owner: string;
}

export type AssetOperations = ReturnType<typeof openAssets>;

/** Opens the assets; `announce` sends `assets.seed.*` messages. */
export function openAssets(
  { file, roots, hashing, scanAtStart }: AssetSettings,
  announce: (type: string, data: object) => void,
) {
  const db = openAssetDb(file);
  const now = (): number => Math.round((performance.timeOrigin + performance.now()) * 1000);
  const records = createRecords(db, now);
  const lister = createLister(db);
  const ingest = createIngest(db, records, roots, randomUUID);
  const scanner = new Scanner({ db, records, roots, hashing, newId: randomUUID, announce });

  // The temporary folder was emptied when the server started.
  for (const base of basesOf(roots, 'temp')) {
    const [from, to] = pathRange(base);
    db.transaction(() => {
      const contents = db.sql('SELECT id FROM contents WHERE path > ? AND path < ?').all(from, to);
      for (const { id } of contents) {
        for (const asset of db.sql('SELECT id FROM assets WHERE content = ?').all(id)) {
          records.remove(Number(asset.id));
        }
        db.sql('DELETE FROM contents WHERE id = ?').run(id);
      }
    });
  }
  if (scanAtStart) scanner.start(SCAN_ROOTS, { prune: true });

  const text = (asset: Asset, more: object = {}): string =>
    stringifyJson({ ...assetJson(roots, asset, records.tagsOf(asset.id)), ...more });

  const created = ({ asset, createdNew }: Ingested): { text: string; createdNew: boolean } => ({
    text: text(asset, { created_new: createdNew }),
    createdNew,
  });

  return {
    /** JSON text of GET /api/assets. */
    list: (page: AssetPage): string => {
      const { assets, tags, total, hasMore, nextCursor } = lister.page(page);
      return stringifyJson({
        assets: assets.map((asset) => assetJson(roots, asset, tags.get(asset.id) ?? [])),
        total,
        has_more: hasMore,
        next_cursor: nextCursor,
      });
    },
    tagCounts: (filter: AssetFilter, limit: number): string =>
      stringifyJson({ tag_counts: Object.fromEntries(lister.tagCounts(filter, limit)) }),
    tags: (query: TagQuery): string => {
      const { tags, total } = listTags(db, query);
      return stringifyJson({ tags, total, has_more: query.offset + tags.length < total });
    },
    get: ({ id, owner }: AssetKey): string => text(records.get(id, owner)),
    update: (
      { id, owner }: AssetKey,
      changes: { name?: string; userMetadata?: string; previewId?: string },
    ): string =>
      db.transaction(() => {
        const asset = records.get(id, owner);
        const { previewId, ...more } = changes;
        const preview = previewId === undefined ? undefined : records.get(previewId, owner).id;
        records.update(asset.id, { ...more, preview });
        return text(records.get(id, owner));
      }),
    remove: ({ id, owner }: AssetKey): void => records.remove(records.get(id, owner).id),
    addTags: (change: TagChange): string => stringifyJson(addTags(db, records, change)),
    removeTags: (change: TagChange): string => stringifyJson(removeTags(db, records, change)),

    upload: async (request: UploadRequest) => created(await ingest.upload(request)),
    fromHash: async (hash: string, request: AssetRequest) => {
      const found = await ingest.fromHash(hash, request);
      if (found === undefined) throw new NoodleError('ASSET_NOT_FOUND', { id: `blake3:${hash}` });
      return created(found);
    },
    /** The asset of a file that POST /upload/… just stored. */
    registerUpload: async (written: WrittenFile): Promise<UploadedAsset> => {
      const asset = await ingest.register(written);
      return {
        id: asset.uuid,
        name: asset.name,
        asset_hash: `blake3:${asset.content.hash}`,
        size: asset.content.size,
        mime_type: asset.mime,
        tags: records.tagsOf(asset.id),
      };
    },
    registerOutput: (output: OutputFile): Promise<void> => ingest.registerOutput(output),

    hasHash: (hash: string): boolean => ingest.findByHash(hash) !== undefined,
    /** The file with this hash; undefined when there is none. */
    byHash: (hash: string): AssetFile | undefined => {
      const content = ingest.findByHash(hash);
      const path = content && servablePath(roots, content.path);
      if (content === undefined || path === undefined) return undefined;
      for (const { id } of db.sql('SELECT id FROM assets WHERE content = ?').all(content.id)) {
        records.touch(Number(id));
      }
      return { path, name: content.path, mime: mimeOf(content.path) };
    },
    /** The file of an asset; throws FILE_NOT_FOUND when it is gone. */
    file: ({ id, owner }: AssetKey): AssetFile => {
      const { missing, content, name, mime, ...asset } = records.get(id, owner);
      const path = missing ? undefined : servablePath(roots, content.path);
      if (path === undefined)
        throw new NoodleError('FILE_NOT_FOUND', { kind: 'file of asset', name });
      records.touch(asset.id);
      return { path, name, mime };
    },

    startScan: (names: readonly RootName[]): boolean => scanner.start(names),
    scanIdle: () => scanner.idle(),
    scanStatus: () => scanner.status(),
    cancelScan: () => scanner.cancel(),
    prune: () => scanner.prune(),
    close: async (): Promise<void> => {
      scanner.cancel();
      await scanner.idle();
      db.close();
    },
  };
}
