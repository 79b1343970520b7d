/** The steps of a scan over contents that are known already. */
import { hashFile } from '../hash.ts';
import type { Content, FileFacts } from '../records.ts';
import { type RootName, SCAN_ROOTS, basesOf, pathRange } from '../roots.ts';
import { BATCH, type Scan } from './scan.ts';
import { factsAt, isSame } from './stat.ts';

/** Live contents below a folder, by pages; between two pages others get their turn. */
async function* livePages(scan: Scan, base: string): AsyncGenerator<Content[]> {
  const [from, to] = pathRange(base);
  let last = from;
  for (;;) {
    const page = scan.library.records.liveBetween(last, to, BATCH);
    if (page.length === 0) return;
    last = page.at(-1)!.path;
    yield page;
    await scan.pause();
  }
}

/** Files of a root that were known: still there, and the same? */
export async function recheck(scan: Scan, name: RootName): Promise<void> {
  const { records, roots } = scan.library;
  for (const base of basesOf(roots, name)) {
    for await (const contents of livePages(scan, base)) {
      for (const content of contents) {
        const seen = factsAt(content.path);
        if (isSame(content, seen)) continue;
        const hash = await hashIfSame(scan, content, seen);
        // Of what is missing from here on, the walk finds what lies there now and makes a new asset.
        if (seen === undefined || hash === null) records.markMissing(content.id);
        else records.refresh(content.id, seen, hash);
      }
    }
  }
}

/** Only the time changed: the hash if it still is the same, null if not, undefined if unknown. */
async function hashIfSame(
  scan: Scan,
  content: Content,
  seen: FileFacts | undefined,
): Promise<string | null | undefined> {
  if (seen?.size !== content.size) return null;
  if (!scan.library.hashing || content.hash === undefined) return undefined;
  const { hash } = await hashFile(content.path, scan.signal);
  return hash === content.hash ? hash : null;
}

/** Hashes the contents of a root that have no hash yet. */
export async function hashAll(scan: Scan, name: RootName): Promise<void> {
  const { records, roots } = scan.library;
  for (const base of basesOf(roots, name)) {
    for await (const contents of livePages(scan, base)) {
      for (const content of contents) {
        if (content.hash !== undefined) continue;
        try {
          const hashed = await hashFile(content.path, scan.signal);
          if (isSame(content, hashed)) records.refresh(content.id, hashed, hashed.hash);
        } catch (error) {
          scan.failed(content.path, error);
        }
      }
    }
  }
}

/** Marks contents outside of all folders as missing and counts them. */
export async function markOutside(scan: Scan): Promise<number> {
  const { db, records, roots } = scan.library;
  const bounds = [...SCAN_ROOTS, 'temp' as const]
    .flatMap((name) => basesOf(roots, name))
    .map(pathRange);
  const isOutside = ({ path }: Content): boolean =>
    !bounds.some(([from, to]) => path >= from && path < to);
  let last = 0;
  let marked = 0;
  for (;;) {
    const page = records.liveAfter(last, BATCH * 8);
    if (page.length === 0) return marked;
    last = page.at(-1)!.id;
    const outside = page.filter(isOutside);
    db.transaction(() => outside.forEach(({ id }) => records.markMissing(id)));
    marked += outside.length;
    await scan.pause();
  }
}
