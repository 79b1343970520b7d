import type { FileRef } from './types.ts';

/** `sub/name.png [output]` as a file reference; input files by default. */
export function annotated(name: string): FileRef {
  const [, path, type = 'input'] = /^(.*?)(?: \[(input|output|temp)\])?$/.exec(name) ?? [];
  const plain = path ?? name;
  const slash = plain.lastIndexOf('/');
  return { filename: plain.slice(slash + 1), subfolder: plain.slice(0, Math.max(0, slash)), type };
}
