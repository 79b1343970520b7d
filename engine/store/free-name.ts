/** Names for files that come from outside: what is there already is never replaced. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { isFile } from './paths.ts';
import { writeFileAtomic } from './write.ts';

/**
 * Writes `bytes` to `path`, or beside it under the next free name (`a.png`, `a (1).png` …), as ComfyUI
 * names uploads; a file there that `isEqual` stays and serves. Answers with the name and whether
 * bytes were written. The folder must exist; file system errors pass through.
 */
export function writeUnderFreeName(
  path: string,
  bytes: Uint8Array,
  isEqual: (path: string) => boolean,
): { readonly name: string; readonly written: boolean } {
  const ending = extname(path);
  const stem = basename(path, ending);
  for (let i = 0; ; i++) {
    const name = i === 0 ? basename(path) : `${stem} (${i})${ending}`;
    const candidate = join(dirname(path), name);
    if (isFile(candidate)) {
      if (statSync(candidate).size === bytes.length && isEqual(candidate)) {
        return { name, written: false };
      }
      continue;
    }
    if (existsSync(candidate)) continue;
    try {
      writeFileAtomic(candidate, bytes, { exclusive: true });
      return { name, written: true };
    } catch (error) {
      // Another upload took the name in this instant.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}
