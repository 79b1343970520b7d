/** The step of a scan that finds files which no live content has: new ones, and ones that came back. */
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeFile, mimeOf } from '../describe.ts';
import { hashFile } from '../hash.ts';
import type { FileFacts } from '../records.ts';
import { type RootName, placeOf } from '../roots.ts';
import { filesOf } from '../walk.ts';
import { BATCH, type Scan } from './scan.ts';
import { factsAt, isSame } from './stat.ts';

/** A file changed this recently may still be written to: it is looked at once more. */
const FRESH = 2000;
const SETTLE = 300;

interface Found extends FileFacts {
  readonly path: string;
}

/** A content that was missing and is there again. */
interface Returning {
  readonly id: number;
  readonly hash?: string;
}

/** How many files there are in the roots. */
export async function countFiles(scan: Scan, names: readonly RootName[]): Promise<number> {
  let n = 0;
  for (const name of names) {
    for (const _ of filesOf(scan.library.roots, name)) if (++n % BATCH === 0) await scan.pause();
  }
  return n;
}

/** Makes assets of the files of a root that have none. */
export async function discover(scan: Scan, name: RootName): Promise<void> {
  const { records, roots } = scan.library;
  let batch: Found[] = [];
  const fresh: Found[] = [];
  let looked = 0;
  for (const path of filesOf(roots, name)) {
    scan.count('scanned');
    const facts = records.live(path) === undefined ? factsAt(path) : undefined;
    if (facts === undefined || facts.size === 0) scan.count('skipped');
    else if (Date.now() - facts.mtime < FRESH) fresh.push({ path, ...facts });
    else batch.push({ path, ...facts });
    if (batch.length >= BATCH) {
      await admit(scan, batch);
      batch = [];
    }
    if (++looked % BATCH === 0) await scan.pause();
  }
  await admit(scan, batch);
  if (fresh.length > 0) await sleep(SETTLE, undefined, { signal: scan.signal });
  for (let at = 0; at < fresh.length; at += BATCH) {
    const settled = fresh.slice(at, at + BATCH).filter((file) => isSame(file, factsAt(file.path)));
    await admit(scan, settled);
    await scan.pause();
  }
}

/** Describes files and writes their rows in one transaction. */
async function admit(scan: Scan, files: readonly Found[]): Promise<void> {
  const { db, records, roots } = scan.library;
  const described: (Found & { metadata: string; returning?: Returning })[] = [];
  for (const file of files) {
    try {
      const name = placeOf(roots, file.path)?.loaderPath ?? basename(file.path);
      const metadata = await describeFile(file.path, name, file.size);
      described.push({ ...file, metadata, returning: await returningContent(scan, file) });
    } catch (error) {
      scan.failed(file.path, error);
    }
  }
  db.transaction(() => {
    for (const { returning, metadata, ...file } of described) {
      // An upload may have come in between.
      if (records.live(file.path) !== undefined) scan.count('skipped');
      else if (returning !== undefined) {
        records.unmarkMissing(returning.id, file, returning.hash);
      } else add(scan, file, metadata);
    }
  });
}

function add(scan: Scan, { path, size, mtime }: Found, metadata: string): void {
  const { records, roots, newId } = scan.library;
  const place = placeOf(roots, path);
  if (place === undefined) return;
  records.add(records.addContent(path, { size, mtime }), {
    uuid: newId(),
    owner: '',
    name: basename(path),
    tags: place.tags,
    mime: mimeOf(path),
    metadata,
    created: Math.round(mtime * 1000),
  });
  scan.count('created');
}

/** The missing content that a file at its path is again, by size and time, else by its hash. */
async function returningContent(scan: Scan, file: Found): Promise<Returning | undefined> {
  const { records, hashing } = scan.library;
  const candidates = records.missingAt(file.path);
  const same = candidates.find((content) => isSame(content, file));
  if (same !== undefined) return same;
  if (!hashing || candidates.length === 0) return undefined;
  const { hash } = await hashFile(file.path, scan.signal);
  const equal = candidates.filter((content) => content.hash === hash);
  return equal.length === 1 ? equal[0] : undefined;
}
