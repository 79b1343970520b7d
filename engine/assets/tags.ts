/** Tags: what there are, and which an asset carries. */
import { NoodleError } from '../errors.ts';
import { MISSING_TAG, type Records } from './records.ts';
import type { AssetDb } from './schema.ts';

export interface TagQuery {
  readonly owner: string;
  /** Taken as it stands, case included. */
  readonly prefix?: string;
  readonly limit: number;
  readonly offset: number;
  readonly order: 'count_desc' | 'name_asc';
  /** Also those that no asset carries. */
  readonly includeZero: boolean;
}

/** Tags with the number of assets that carry them; assets whose file is gone do not count. */
export function listTags(
  db: AssetDb,
  { owner, prefix, limit, offset, order, includeZero }: TagQuery,
): { tags: { name: string; count: number }[]; total: number } {
  // Tags are few beside assets: all of a prefix are read, counted and sorted here.
  const end = prefix === undefined ? undefined : afterPrefix(prefix);
  const rows = db
    .sql(
      `SELECT t.id, t.name, coalesce((SELECT sum(n) FROM tag_counts
         WHERE tag = t.id AND owner IN ('', ?)), 0) AS n
       FROM tags t WHERE t.name >= ? AND (? IS NULL OR t.name < ?) ORDER BY t.name`,
    )
    .all(owner, prefix ?? '', end ?? null, end ?? null);
  const gone = countsOfMissing(db, owner);
  const tags = rows
    .map(({ id, name, n }) => ({
      name: name as string,
      count: Number(n) - (name === MISSING_TAG ? 0 : (gone.get(Number(id)) ?? 0)),
    }))
    .filter(({ count }) => includeZero || count > 0);
  // The sort is stable: equal counts stay in the order of their names.
  if (order === 'count_desc') tags.sort((a, b) => b.count - a.count);
  return { tags: tags.slice(offset, offset + limit), total: tags.length };
}

function countsOfMissing(db: AssetDb, owner: string): Map<number, number> {
  const rows = db
    .sql(
      `SELECT x.tag, count(*) AS n FROM asset_tags m CROSS JOIN assets a ON a.id = m.asset
       CROSS JOIN asset_tags x ON x.asset = m.asset
       WHERE m.tag = (SELECT id FROM tags WHERE name = ?) AND a.owner IN ('', ?) GROUP BY x.tag`,
    )
    .all(MISSING_TAG, owner);
  return new Map(rows.map(({ tag, n }) => [Number(tag), Number(n)]));
}

/** The first text after all that start with `prefix`, in SQLite's order of bytes. */
function afterPrefix(prefix: string): string | undefined {
  const points = [...prefix].map((character) => character.codePointAt(0)!);
  while (points.length > 0) {
    const last = points.pop()!;
    // Surrogates cannot stand alone in UTF-8.
    if (last < 0x10ffff)
      return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
  return undefined;
}

/** Adds tags to an asset; throws SYSTEM_TAG_FORBIDDEN and ASSET_NOT_FOUND. */
export function addTags(
  db: AssetDb,
  records: Records,
  { id, owner, tags }: TagChange,
): { added: string[]; already_present: string[]; total_tags: string[] } {
  refuseSystemTags(tags);
  return db.transaction(() => {
    const asset = records.get(id, owner);
    const added = tags.filter((tag) => records.addTag(asset.id, tag, false)).sort();
    if (added.length > 0) records.update(asset.id, {});
    return {
      added,
      already_present: tags.filter((tag) => !added.includes(tag)).sort(),
      total_tags: records.tagsOf(asset.id),
    };
  });
}

/** Takes tags from an asset; throws SYSTEM_TAG_FORBIDDEN and ASSET_NOT_FOUND. */
export function removeTags(
  db: AssetDb,
  records: Records,
  { id, owner, tags }: TagChange,
): { removed: string[]; not_present: string[]; total_tags: string[]; protected: string[] } {
  refuseSystemTags(tags);
  return db.transaction(() => {
    const asset = records.get(id, owner);
    const present = new Set(records.tagsOf(asset.id));
    const removed = tags.filter((tag) => present.has(tag)).sort();
    for (const tag of removed) records.removeTag(asset.id, tag);
    if (removed.length > 0) records.update(asset.id, {});
    return {
      removed,
      not_present: tags.filter((tag) => !present.has(tag)).sort(),
      total_tags: records.tagsOf(asset.id),
      protected: [],
    };
  });
}

export interface TagChange {
  /** UUID of the asset. */
  readonly id: string;
  readonly owner: string;
  /** Trimmed, each once. */
  readonly tags: readonly string[];
}

function refuseSystemTags(tags: readonly string[]): void {
  if (!tags.includes(MISSING_TAG)) return;
  throw new NoodleError('SYSTEM_TAG_FORBIDDEN', {
    tag: MISSING_TAG,
    details: { tag: MISSING_TAG },
  });
}
