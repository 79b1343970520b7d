/** One page of media files: searched, sorted, from a place on that stays when files come and go. */
import type { FileDetails } from './file-details.ts';
import type { MediaFile, MediaKind } from './media-files.ts';

export const SORTS = ['newest', 'oldest', 'name', 'largest'] as const;
export type Sort = (typeof SORTS)[number];

export interface PageRequest {
  readonly sort: Sort;
  readonly limit: number;
  /** Where the last page ended. */
  readonly cursor?: string;
  /** Words that all stand in the name or the prompt. */
  readonly query?: string;
  readonly kind?: MediaKind;
  /** Only these paths. */
  readonly only?: ReadonlySet<string>;
}

export interface MediaPage {
  readonly files: readonly MediaFile[];
  readonly details: readonly FileDetails[];
  /** How many there are without paging. */
  readonly total: number;
  /** Null where the list ends. */
  readonly next: string | null;
}

type Place = Pick<MediaFile, 'path' | 'modified' | 'bytes'>;

const byPath = (a: Place, b: Place): number => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

/** Files of one moment, as a batch makes them, go by their names, which count up. */
const ORDERS: Readonly<Record<Sort, (a: Place, b: Place) => number>> = {
  newest: (a, b) => b.modified - a.modified || byPath(b, a),
  oldest: (a, b) => a.modified - b.modified || byPath(a, b),
  name: byPath,
  largest: (a, b) => b.bytes - a.bytes || byPath(a, b),
};

/** Makes pages of lists that `createMediaLister` gave; a sorted list is remembered with its source. */
export function createMediaPager(details: (files: readonly MediaFile[]) => Promise<FileDetails[]>) {
  const sortedLists = new WeakMap<readonly MediaFile[], Map<Sort, readonly MediaFile[]>>();

  const sorted = (files: readonly MediaFile[], sort: Sort): readonly MediaFile[] => {
    const lists = sortedLists.get(files) ?? new Map<Sort, readonly MediaFile[]>();
    sortedLists.set(files, lists);
    const list = lists.get(sort) ?? [...files].sort(ORDERS[sort]);
    lists.set(sort, list);
    return list;
  };

  return async (files: readonly MediaFile[], request: PageRequest): Promise<MediaPage> => {
    const { sort, limit, cursor, query, kind, only } = request;
    let list = sorted(files, sort);
    if (kind !== undefined) list = list.filter((file) => file.kind === kind);
    if (only !== undefined) list = list.filter(({ path }) => only.has(path));
    const words = (query ?? '').toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length > 0) {
      const all = await details(list);
      list = list.filter((file, i) => {
        const text = `${file.path}\n${all[i].text}\n${all[i].seed ?? ''}`.toLowerCase();
        return words.every((word) => text.includes(word));
      });
    }
    const after = cursor === undefined ? undefined : readCursor(cursor);
    const found = after === undefined ? 0 : list.findIndex((file) => ORDERS[sort](file, after) > 0);
    const start = found < 0 ? list.length : found;
    const page = list.slice(start, start + limit);
    const isEnd = start + page.length >= list.length;
    return {
      files: page,
      details: await details(page),
      total: list.length,
      next: isEnd ? null : cursorAfter(page[page.length - 1]),
    };
  };
}

const cursorAfter = ({ path, modified, bytes }: Place): string =>
  Buffer.from(JSON.stringify([modified, bytes, path])).toString('base64url');

/** The place that a cursor names; undefined for anything else. */
export function readCursor(cursor: string): Place | undefined {
  try {
    const [modified, bytes, path] = JSON.parse(
      Buffer.from(cursor, 'base64url').toString(),
    ) as unknown[];
    return typeof modified === 'number' && typeof bytes === 'number' && typeof path === 'string'
      ? { modified, bytes, path }
      : undefined;
  } catch {
    return undefined;
  }
}
