/** Rows of contents and assets: the only code that writes them. */
import { NoodleError } from '../errors.ts';
import type { Row } from '../store/db.ts';
import type { AssetDb } from './schema.ts';

export interface Content {
  readonly id: number;
  readonly path: string;
  readonly size: number;
  /** Milliseconds since 1970, with fractions. */
  readonly mtime: number;
  /** BLAKE3 in hex. */
  readonly hash?: string;
}

/** Size and time of a file as a scan or an upload saw it. */
export interface FileFacts {
  readonly size: number;
  readonly mtime: number;
}

/** An asset with what its content and its preview add; `id` is the database's, `uuid` the API's. */
export interface Asset {
  readonly id: number;
  readonly uuid: string;
  readonly content: Content;
  readonly missing: boolean;
  readonly name: string;
  readonly mime?: string;
  readonly job?: string;
  readonly previewUuid?: string;
  /** Only while the preview's file is there. */
  readonly previewPath?: string;
  /** JSON text. */
  readonly userMetadata: string;
  /** JSON text of what was read from the file. */
  readonly metadata?: string;
  /** Microseconds since 1970. */
  readonly created: number;
  readonly updated: number;
  readonly accessed?: number;
}

export interface NewAsset {
  readonly uuid: string;
  readonly owner: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly mime?: string;
  readonly job?: string;
  /** Database id. */
  readonly preview?: number;
  readonly userMetadata?: string;
  readonly metadata?: string;
  /** Microseconds; now when left out. */
  readonly created?: number;
}

/** A tag that only the server sets: on assets whose file is gone. */
export const MISSING_TAG = 'missing';

/** Columns of `readAsset`, over assets `a`. */
export const ASSET_COLUMNS = `
  a.id, a.uuid, a.name, a.mime, a.job, a.user_metadata, a.metadata, a.created, a.updated, a.accessed,
  a.content, c.path, c.size, c.mtime, c.hash, c.missing, p.uuid AS preview_uuid, pc.path AS preview_path`;
export const ASSET_JOINS = `
  JOIN contents c ON c.id = a.content
  LEFT JOIN assets p ON p.id = a.preview
  LEFT JOIN contents pc ON pc.id = p.content AND pc.missing = 0`;

export interface Records {
  live(path: string): Content | undefined;
  /** Live contents with paths between the two (both exclusive), by path. */
  liveBetween(after: string, before: string, limit: number): Content[];
  /** Live contents with higher ids, by id. */
  liveAfter(id: number, limit: number): Content[];
  /** Contents whose file is gone from the path and that assets still name, the newest first. */
  missingAt(path: string): Content[];
  addContent(path: string, facts: FileFacts, hash?: string): Content;
  /** The facts of a live content were seen anew; without `hash` it is not known any more. */
  refresh(id: number, facts: FileFacts, hash: string | undefined): void;
  markMissing(id: number): void;
  unmarkMissing(id: number, facts: FileFacts, hash: string | undefined): void;
  add(content: Content, asset: NewAsset): Asset;
  /** Throws ASSET_NOT_FOUND for what is not there or belongs to somebody else. */
  get(uuid: string, owner: string): Asset;
  find(uuid: string, owner: string): Asset | undefined;
  update(id: number, changes: { name?: string; userMetadata?: string; preview?: number }): void;
  setMetadata(uuid: string, metadata: string): void;
  touch(id: number): void;
  remove(id: number): void;
  tagsOf(id: number): string[];
  /** Adds a tag; false when it was there. */
  addTag(id: number, tag: string, automatic: boolean): boolean;
  removeTag(id: number, tag: string): void;
}

/** Access to the rows; `now` gives microseconds since 1970. */
export function createRecords(db: AssetDb, now: () => number): Records {
  const { sql } = db;
  const tagId = (name: string): number => {
    const row =
      sql('SELECT id FROM tags WHERE name = ?').get(name) ??
      sql('INSERT INTO tags (name) VALUES (?) RETURNING id').get(name);
    return Number(row!.id);
  };

  const addTag = (id: number, tag: string, automatic: boolean): boolean =>
    Number(
      sql('INSERT INTO asset_tags VALUES (?, ?, ?) ON CONFLICT DO NOTHING').run(
        tagId(tag),
        id,
        automatic ? 1 : 0,
      ).changes,
    ) > 0;

  const removeTag = (id: number, tag: string): void =>
    void sql('DELETE FROM asset_tags WHERE tag = ? AND asset = ?').run(tagId(tag), id);

  const assetsOf = (content: number): number[] =>
    sql('SELECT id FROM assets WHERE content = ?')
      .all(content)
      .map(({ id }) => Number(id));

  const setFacts = (id: number, { size, mtime }: FileFacts, hash: string | undefined): void => {
    sql('UPDATE contents SET size = ?, mtime = ?, hash = ?, missing = 0 WHERE id = ?').run(
      size,
      mtime,
      hash ?? null,
      id,
    );
    sql('UPDATE assets SET size = ? WHERE content = ? AND size <> ?').run(size, id, size);
  };

  const find = (uuid: string, owner: string): Asset | undefined => {
    const row = sql(
      `SELECT ${ASSET_COLUMNS} FROM assets a ${ASSET_JOINS} WHERE a.uuid = ? AND a.owner IN ('', ?)`,
    ).get(uuid, owner);
    return row === undefined ? undefined : readAsset(row);
  };

  const get = (uuid: string, owner: string): Asset => {
    const asset = find(uuid, owner);
    if (asset === undefined) throw new NoodleError('ASSET_NOT_FOUND', { id: uuid });
    return asset;
  };

  return {
    live: (path) => {
      const row = sql('SELECT * FROM contents WHERE path = ? AND missing = 0').get(path);
      return row === undefined ? undefined : readContent(row);
    },
    liveBetween: (after, before, limit) =>
      sql(
        'SELECT * FROM contents WHERE missing = 0 AND path > ? AND path < ? ORDER BY path LIMIT ?',
      )
        .all(after, before, limit)
        .map(readContent),
    liveAfter: (id, limit) =>
      sql('SELECT * FROM contents WHERE missing = 0 AND id > ? ORDER BY id LIMIT ?')
        .all(id, limit)
        .map(readContent),
    missingAt: (path) =>
      sql(
        `SELECT * FROM contents c WHERE path = ? AND missing = 1
           AND EXISTS (SELECT 1 FROM assets WHERE content = c.id) ORDER BY id DESC`,
      )
        .all(path)
        .map(readContent),
    addContent: (path, { size, mtime }, hash) => {
      const row = sql(
        'INSERT INTO contents (path, size, mtime, hash, created) VALUES (?, ?, ?, ?, ?) RETURNING *',
      ).get(path, size, mtime, hash ?? null, now());
      return readContent(row!);
    },
    refresh: setFacts,
    markMissing: (id) => {
      sql('UPDATE contents SET missing = 1 WHERE id = ?').run(id);
      for (const asset of assetsOf(id)) addTag(asset, MISSING_TAG, true);
    },
    unmarkMissing: (id, facts, hash) => {
      setFacts(id, facts, hash);
      for (const asset of assetsOf(id)) removeTag(asset, MISSING_TAG);
    },
    add: (content, asset) => {
      const time = now();
      const { id } = sql(
        `INSERT INTO assets (uuid, content, owner, name, size, mime, job, preview, user_metadata,
           metadata, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
      ).get(
        asset.uuid,
        content.id,
        asset.owner,
        asset.name,
        content.size,
        asset.mime ?? null,
        asset.job ?? null,
        asset.preview ?? null,
        asset.userMetadata ?? '{}',
        asset.metadata ?? null,
        asset.created ?? time,
        asset.created ?? time,
      )!;
      for (const tag of asset.tags) addTag(Number(id), tag, false);
      return get(asset.uuid, asset.owner);
    },
    get,
    find,
    update: (id, { name, userMetadata, preview }) => {
      sql(
        `UPDATE assets SET name = coalesce(?, name), user_metadata = coalesce(?, user_metadata),
           preview = coalesce(?, preview), updated = ? WHERE id = ?`,
      ).run(name ?? null, userMetadata ?? null, preview ?? null, now(), id);
    },
    setMetadata: (uuid, metadata) =>
      void sql('UPDATE assets SET metadata = ? WHERE uuid = ?').run(metadata, uuid),
    touch: (id) => void sql('UPDATE assets SET accessed = ? WHERE id = ?').run(now(), id),
    remove: (id) =>
      db.transaction(() => {
        sql('DELETE FROM asset_tags WHERE asset = ?').run(id);
        sql('DELETE FROM assets WHERE id = ?').run(id);
      }),
    tagsOf: (id) =>
      sql(
        'SELECT t.name FROM asset_tags x JOIN tags t ON t.id = x.tag WHERE x.asset = ? ORDER BY t.name',
      )
        .all(id)
        .map(({ name }) => name as string),
    addTag,
    removeTag,
  };
}

const optional = (value: Row[string]): string | undefined =>
  value === null ? undefined : (value as string);

/** A row of contents. */
export function readContent(row: Row): Content {
  return {
    id: Number(row.id),
    path: row.path as string,
    size: Number(row.size),
    mtime: Number(row.mtime),
    hash: optional(row.hash),
  };
}

/** A row of ASSET_COLUMNS. */
export function readAsset(row: Row): Asset {
  return {
    id: Number(row.id),
    uuid: row.uuid as string,
    content: readContent({ ...row, id: row.content }),
    missing: row.missing === 1,
    name: row.name as string,
    mime: optional(row.mime),
    job: optional(row.job),
    previewUuid: optional(row.preview_uuid),
    previewPath: optional(row.preview_path),
    userMetadata: row.user_metadata as string,
    metadata: optional(row.metadata),
    created: Number(row.created),
    updated: Number(row.updated),
    accessed: row.accessed === null ? undefined : Number(row.accessed),
  };
}
