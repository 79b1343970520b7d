/** Node packs written by tests. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface PackFiles {
  /** An installation whose custom_nodes are written by `write`. */
  readonly base: string;
  readonly folder: string;
  /** A file of custom_nodes. */
  write(path: string, text: string): void;
  remove(path?: string): void;
}

/** An empty installation in a temporary folder. */
export function packFiles(): PackFiles {
  const base = mkdtempSync(join(tmpdir(), 'noodle-packs-'));
  const folder = join(base, 'custom_nodes');
  mkdirSync(folder);
  return {
    base,
    folder,
    write: (path, text) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    },
    remove: (path) =>
      rmSync(path === undefined ? base : join(folder, path), { recursive: true, force: true }),
  };
}

/** Source of a node in plain JavaScript. */
export const nodeText = (name: string, more = ''): string =>
  `{ name: '${name}', outputNode: true, run: () => ({ ui: { text: ['${name}'] } }), ${more} }`;
