/** What tells a file's states apart without reading it. */
import { statSync } from 'node:fs';
import type { FileFacts } from '../records.ts';

/** Size and time of a file; undefined when it is no file or cannot be looked at. */
export function factsAt(path: string): FileFacts | undefined {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat?.isFile() ? { size: stat.size, mtime: stat.mtimeMs } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a file is as it was seen before. */
export const isSame = (known: FileFacts, seen: FileFacts | undefined): boolean =>
  known.size === seen?.size && known.mtime === seen.mtime;
