/** Recursive file lists that are remembered until a directory changes. */
import { statSync } from 'node:fs';
import { basename, dirname, extname, relative } from 'node:path';
import type { ModelFolder } from './model-folders.ts';
import { canBeNamed } from './paths.ts';
import { walkFiles } from './walk.ts';

interface CachedList {
  readonly files: readonly string[];
  /** Directory -> mtime in nanoseconds; null for a search path that did not exist. */
  readonly stamps: ReadonlyMap<string, bigint | null>;
  readonly scannedAt: bigint;
}

// File systems stamp with the kernel's tick: a change within the same tick leaves the mtime as it
// was, so a list made this soon after a change is not to be trusted.
const RACY_NS = 50_000_000n;

/** Lists a model folder: sorted union of its search paths, relative names with the system's slash. */
export function createModelLister(): (folder: ModelFolder) => readonly string[] {
  const cache = new Map<ModelFolder, CachedList>();
  return (folder) => {
    const known = cache.get(folder);
    if (known !== undefined && isFresh(known, folder.paths)) return known.files;
    const stamps = new Map<string, bigint | null>();
    const scannedAt = BigInt(Date.now()) * 1_000_000n;
    const files = new Set<string>();
    for (const root of folder.paths) {
      const found = walkFiles(root, {
        takes: isListed,
        // The stamp is taken before reading, so that a file added in between makes the list stale.
        entering: (directory) => stamps.set(directory, stampOf(directory)),
      });
      for (const path of found) {
        if (matches(path, folder.extensions)) files.add(relative(root, path));
      }
    }
    const list = { files: [...files].sort(byCodePoint), stamps, scannedAt };
    cache.set(folder, list);
    return list.files;
  };
}

/**
 * Lists folders below the search paths that hold a file `holding` (diffusers models: `model_index.json`),
 * relative and sorted, with the memory of a model lister.
 */
export function createDirectoryLister(
  listFiles: ReturnType<typeof createModelLister>,
): (paths: readonly string[], holding: string) => readonly string[] {
  const questions = new Map<string, { folder: ModelFolder; files: unknown; found: string[] }>();
  return (paths, holding) => {
    const question = JSON.stringify([holding, ...paths]);
    const folder = questions.get(question)?.folder ?? {
      paths: [...paths],
      extensions: [extname(holding)],
    };
    const files = listFiles(folder);
    const known = questions.get(question);
    if (known?.files === files) return known.found;
    const found = files.filter((file) => basename(file) === holding).map((file) => dirname(file));
    questions.set(question, { folder, files, found });
    return found;
  };
}

/** What is hidden, and what no prompt could name, is not listed. */
const isListed = (name: string): boolean => !name.startsWith('.') && canBeNamed(name);

function isFresh(list: CachedList, paths: readonly string[]): boolean {
  if (!paths.every((path) => list.stamps.has(path))) return false;
  for (const [directory, stamp] of list.stamps) {
    if (stampOf(directory) !== stamp) return false;
    if (stamp !== null && list.scannedAt - stamp < RACY_NS) return false;
  }
  return true;
}

function stampOf(directory: string): bigint | null {
  try {
    return statSync(directory, { bigint: true, throwIfNoEntry: false })?.mtimeNs ?? null;
  } catch {
    return null;
  }
}

function matches(name: string, extensions: readonly string[]): boolean {
  return extensions.length === 0 || extensions.includes(extname(name).toLowerCase());
}

/** Python's order of strings (by code point), which is what ComfyUI's lists have. */
export function byCodePoint(a: string, b: string): number {
  if (a === b) return 0;
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < left.length && i < right.length; i++) {
    if (left[i] !== right[i]) return (left[i].codePointAt(0) ?? 0) - (right[i].codePointAt(0) ?? 0);
  }
  return left.length - right.length;
}
