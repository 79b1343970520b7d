/** A folder of a test's own, with ComfyUI's folders in it, empty at the start of each case. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { createFolders } from '../../../engine/store/folders.ts';
import type { FolderOptions, Folders } from '../../../engine/store/folders.ts';

/** The base folder of this case. */
export let base: string;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'noodle-folders-')));
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

/** Writes a file below the base folder; gives its path. */
export const put = (name: string, content = ''): string => {
  const path = join(base, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
};

/** The folders as a server with these options has them. */
export const make = (options: Partial<FolderOptions> = {}): Folders =>
  createFolders({ base, ...options });
