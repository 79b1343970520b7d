/**
 * The assets' database: contents (bytes at a path), assets (what people see of them) and tags. It
 * belongs to one thread; nothing else opens it.
 */
import { NoodleError } from '../errors.ts';
import { type Db, type Statement, openDb } from '../store/db.ts';

/** One step per version of the tables; `user_version` counts those that were made. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE contents (
     id INTEGER PRIMARY KEY,
     path TEXT NOT NULL,
     size INTEGER NOT NULL,
     mtime REAL NOT NULL,                  -- milliseconds, as fs.stat gives them
     hash TEXT,                            -- BLAKE3, hex; not known yet when null
     missing INTEGER NOT NULL DEFAULT 0,
     created INTEGER NOT NULL              -- microseconds, like all times below
   ) STRICT;
   CREATE UNIQUE INDEX contents_live ON contents (path) WHERE missing = 0;
   CREATE INDEX contents_missing ON contents (path) WHERE missing = 1;
   CREATE INDEX contents_hash ON contents (hash) WHERE hash IS NOT NULL;
   CREATE TABLE assets (
     id INTEGER PRIMARY KEY,
     uuid TEXT NOT NULL UNIQUE,
     content INTEGER NOT NULL REFERENCES contents,
     owner TEXT NOT NULL,                  -- '' is everybody's
     name TEXT NOT NULL,
     size INTEGER NOT NULL,                -- the content's, to sort by
     mime TEXT,
     job TEXT,
     preview INTEGER REFERENCES assets ON DELETE SET NULL,
     user_metadata TEXT NOT NULL,
     metadata TEXT,
     created INTEGER NOT NULL,
     updated INTEGER NOT NULL,
     accessed INTEGER
   ) STRICT;
   CREATE INDEX assets_content ON assets (content);
   CREATE INDEX assets_preview ON assets (preview) WHERE preview IS NOT NULL;
   CREATE INDEX assets_name ON assets (name);
   CREATE INDEX assets_size ON assets (size);
   CREATE INDEX assets_created ON assets (created);
   CREATE INDEX assets_updated ON assets (updated);
   CREATE INDEX assets_accessed ON assets (accessed);
   CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
   CREATE TABLE asset_tags (
     tag INTEGER NOT NULL REFERENCES tags,
     asset INTEGER NOT NULL REFERENCES assets,
     automatic INTEGER NOT NULL,
     PRIMARY KEY (tag, asset)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX asset_tags_asset ON asset_tags (asset, tag);
   CREATE TABLE tag_counts (
     tag INTEGER NOT NULL REFERENCES tags,
     owner TEXT NOT NULL,
     n INTEGER NOT NULL,
     PRIMARY KEY (tag, owner)
   ) STRICT, WITHOUT ROWID;
   CREATE TRIGGER asset_tags_added AFTER INSERT ON asset_tags BEGIN
     INSERT INTO tag_counts VALUES
       (new.tag, (SELECT owner FROM assets WHERE id = new.asset), 1)
       ON CONFLICT DO UPDATE SET n = n + 1;
   END;
   CREATE TRIGGER asset_tags_removed AFTER DELETE ON asset_tags BEGIN
     UPDATE tag_counts SET n = n - 1
       WHERE tag = old.tag AND owner = (SELECT owner FROM assets WHERE id = old.asset);
   END;`,
];

/** A database whose statements are prepared once each. */
export interface AssetDb extends Pick<Db, 'transaction' | 'close'> {
  readonly sql: (text: string) => Statement;
  /** Goes up with every change: what was worked out at one version holds until the next. */
  version(): number;
}

const STATEMENTS = 200;

/** Opens (and where needed brings up to date) the database; throws DATABASE_NEWER. */
export function openAssetDb(path: string): AssetDb {
  const db = openDb(path);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;');
  const version = Number(db.prepare('PRAGMA user_version').get()!.user_version);
  if (version > MIGRATIONS.length) throw new NoodleError('DATABASE_NEWER', { path, version });
  for (const [i, migration] of MIGRATIONS.entries()) {
    if (i < version) continue;
    db.transaction(() => {
      db.exec(migration);
      db.exec(`PRAGMA user_version = ${i + 1}`);
    });
  }
  const changes = db.prepare('SELECT total_changes() AS n');
  const prepared = new Map<string, Statement>();
  let depth = 0;
  return {
    sql: (text) => {
      let statement = prepared.get(text);
      if (statement === undefined) {
        // Filters come in any number of forms; those of long ago are prepared again.
        if (prepared.size >= STATEMENTS) prepared.delete(prepared.keys().next().value!);
        prepared.set(text, (statement = db.prepare(text)));
      }
      return statement;
    },
    transaction: (change) => {
      if (depth > 0) return change();
      depth++;
      try {
        return db.transaction(change);
      } finally {
        depth--;
      }
    },
    version: () => Number(changes.get()!.n),
    close: () => db.close(),
  };
}
