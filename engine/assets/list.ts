/** Lists of assets: filters, orders, pages. Every plan walks an index or a rare tag's few rows. */
import type { Row, SqlValue } from '../store/db.ts';
import { type Cursor, type Order, type Sort, readCursor, writeCursor } from './cursor.ts';
import { ASSET_COLUMNS, ASSET_JOINS, type Asset, readAsset } from './records.ts';
import type { AssetDb } from './schema.ts';

export interface AssetFilter {
  readonly owner: string;
  /** Every one of them. */
  readonly all: readonly string[];
  /** At least one of them, if there are any. */
  readonly any: readonly string[];
  /** None of them. */
  readonly none: readonly string[];
  /** Part of the name; letters A to Z match in either case. */
  readonly nameContains?: string;
  /** Hex; '' matches nothing. */
  readonly hash?: string;
}

export interface AssetPage extends AssetFilter {
  readonly sort: Sort;
  readonly order: Order;
  readonly limit: number;
  /** Not looked at with `after`. */
  readonly offset: number;
  /** `nextCursor` of the page before. */
  readonly after?: string;
}

export interface AssetList {
  readonly assets: readonly Asset[];
  /** By database id. */
  readonly tags: ReadonlyMap<number, readonly string[]>;
  /** Without paging. */
  readonly total: number;
  readonly hasMore: boolean;
  readonly nextCursor?: string;
}

const COLUMNS: Readonly<Record<Sort, string>> = {
  name: 'name',
  created_at: 'created',
  updated_at: 'updated',
  size: 'size',
  last_access_time: 'accessed',
};

/** A tag with at most so many assets is where a search starts; others are checked along an index. */
const RARE = 5000;
/** Totals that are remembered until the next change. */
const TOTALS = 64;

interface Plan {
  /** `FROM …` with the rows to choose from; assets are `a`. */
  readonly from: string;
  readonly where: readonly string[];
  readonly values: readonly SqlValue[];
  /** Rows come from one of the sort indexes. */
  readonly walksIndex: boolean;
}

/** Lists assets; throws INVALID_CURSOR. */
export function createLister(db: AssetDb): {
  page: (query: AssetPage) => AssetList;
  tagCounts: (filter: AssetFilter, limit: number) => [name: string, count: number][];
} {
  const totals = new Map<string, number>();
  let totalsVersion = -1;

  const total = (filter: AssetFilter, plan: Plan): number => {
    const version = db.version();
    if (version !== totalsVersion || totals.size >= TOTALS) totals.clear();
    totalsVersion = version;
    const { owner, all, any, none, nameContains, hash } = filter;
    const key = JSON.stringify([owner, all, any, none, nameContains, hash]);
    let n = totals.get(key);
    if (n === undefined) {
      const { n: counted } = db
        .sql(`SELECT count(*) AS n FROM ${plan.from} WHERE ${plan.where.join(' AND ')}`)
        .get(...plan.values)!;
      totals.set(key, (n = Number(counted)));
    }
    return n;
  };

  const tagsOf = (ids: readonly number[]): Map<number, string[]> => {
    const tags = new Map<number, string[]>(ids.map((id) => [id, []]));
    const rows = db
      .sql(
        `SELECT x.asset, t.name FROM json_each(?) i JOIN asset_tags x ON x.asset = i.value
         JOIN tags t ON t.id = x.tag ORDER BY t.name`,
      )
      .all(JSON.stringify(ids));
    for (const { asset, name } of rows) tags.get(Number(asset))!.push(name as string);
    return tags;
  };

  return {
    page: (query) => {
      const { sort, order, limit, after } = query;
      const cursor = after === undefined ? undefined : readCursor(after, sort, order);
      const plan = planFor(db, query);
      if (plan === undefined) return { assets: [], tags: new Map(), total: 0, hasMore: false };
      // One more than asked for tells whether there is more.
      const rows = rowsOf(db, plan, query, cursor);
      const assets = rows.slice(0, limit).map(readAsset);
      const last = rows.at(limit - 1);
      const nextCursor =
        rows.length > limit && sort !== 'last_access_time'
          ? writeCursor({
              sort,
              order,
              value: last!.sort_value as string | number,
              id: Number(last!.id),
            })
          : undefined;
      return {
        assets,
        tags: tagsOf(assets.map(({ id }) => id)),
        total: total(query, plan),
        hasMore: rows.length > limit,
        nextCursor,
      };
    },
    tagCounts: (filter, limit) => {
      const plan = planFor(db, filter);
      if (plan === undefined) return [];
      const rows = db
        .sql(
          `SELECT t.name, q.n FROM (SELECT x.tag, count(*) AS n FROM ${plan.from}
             JOIN asset_tags x ON x.asset = a.id WHERE ${plan.where.join(' AND ')}
             GROUP BY x.tag) q
           JOIN tags t ON t.id = q.tag ORDER BY q.n DESC, t.name LIMIT ?`,
        )
        .all(...plan.values, limit);
      return rows.map(({ name, n }) => [name as string, Number(n)]);
    },
  };
}

/** The rows of a page and one more, in two steps: which ones, then all of theirs. */
function rowsOf(
  db: AssetDb,
  plan: Plan,
  { sort, order, limit, offset }: AssetPage,
  cursor: Cursor | undefined,
): Row[] {
  const column = COLUMNS[sort];
  const [compare, direction] = order === 'desc' ? ['<', 'DESC'] : ['>', 'ASC'];
  const where = [...plan.where];
  const values = [...plan.values];
  if (cursor !== undefined) {
    where.push(`(a.${column}, a.id) ${compare} (?, ?)`);
    values.push(cursor.value, cursor.id);
  }
  const from = plan.walksIndex ? `assets a INDEXED BY assets_${column}` : plan.from;
  const ids = `SELECT a.id FROM ${from} WHERE ${where.join(' AND ')}
    ORDER BY a.${column} ${direction}, a.id ${direction} LIMIT ? OFFSET ?`;
  return db
    .sql(
      `SELECT ${ASSET_COLUMNS}, a.${column} AS sort_value FROM (${ids}) q
       JOIN assets a ON a.id = q.id ${ASSET_JOINS}
       ORDER BY a.${column} ${direction}, a.id ${direction}`,
    )
    .all(...values, limit + 1, cursor === undefined ? offset : 0);
}

/** How to find a filter's rows; undefined when there can be none. */
function planFor(db: AssetDb, filter: AssetFilter): Plan | undefined {
  const { owner, nameContains, hash } = filter;
  const all = filter.all.map((name) => tagOf(db, name));
  const any = known(filter.any.map((name) => tagOf(db, name)));
  const none = known(filter.none.map((name) => tagOf(db, name)));
  if (all.includes(undefined) || (filter.any.length > 0 && any.length === 0)) return undefined;

  const where = [`a.owner IN ('', ?)`];
  const values: SqlValue[] = [owner];
  if (nameContains !== undefined && nameContains !== '') {
    where.push(`a.name LIKE ? ESCAPE '!'`);
    values.push(`%${nameContains.replace(/[!%_]/g, '!$&')}%`);
  }
  const has = 'EXISTS (SELECT 1 FROM asset_tags x WHERE x.asset = a.id AND x.tag';
  const byCount = known(all).sort((a, b) => a.count - b.count);
  const rarest = hash === undefined ? byCount.at(0) : undefined;
  const start = rarest !== undefined && rarest.count <= RARE ? rarest : undefined;
  for (const tag of byCount) {
    if (tag === start) continue;
    where.push(`${has} = ?)`);
    values.push(tag.id);
  }
  if (any.length > 0) {
    where.push(`${has} IN (SELECT value FROM json_each(?)))`);
    values.push(JSON.stringify(any.map(({ id }) => id)));
  }
  if (none.length > 0) {
    where.push(`NOT ${has} IN (SELECT value FROM json_each(?)))`);
    values.push(JSON.stringify(none.map(({ id }) => id)));
  }
  if (hash !== undefined) {
    return {
      from: 'contents h CROSS JOIN assets a ON a.content = h.id',
      where: ['h.hash = ?', ...where],
      values: [hash, ...values],
      walksIndex: false,
    };
  }
  if (start !== undefined) {
    return {
      from: 'asset_tags d CROSS JOIN assets a ON a.id = d.asset',
      where: ['d.tag = ?', ...where],
      values: [start.id, ...values],
      walksIndex: false,
    };
  }
  return { from: 'assets a', where, values, walksIndex: true };
}

interface KnownTag {
  readonly id: number;
  /** Assets that carry it, whoever they belong to. */
  readonly count: number;
}

function tagOf(db: AssetDb, name: string): KnownTag | undefined {
  const row = db
    .sql(
      `SELECT id, (SELECT coalesce(sum(n), 0) FROM tag_counts WHERE tag = id) AS n
       FROM tags WHERE name = ?`,
    )
    .get(name);
  return row === undefined ? undefined : { id: Number(row.id), count: Number(row.n) };
}

const known = (tags: readonly (KnownTag | undefined)[]): KnownTag[] =>
  tags.filter((tag) => tag !== undefined);
