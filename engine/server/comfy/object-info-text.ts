/**
 * The text of GET /object_info: megabytes that change only with the files at hand, so it is kept
 * until a list of files it was made from is another one.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ChoiceSource, NodeRegistry } from '../../graph/definition.ts';
import { objectInfo } from '../../graph/object-info.ts';
import { stringifyJson } from '../../workflow/lossless-json.ts';

export interface ObjectInfoText {
  readonly text: string;
  readonly etag: string;
  /** Compressed once, when it is first asked for. */
  gzipped(): Promise<Buffer>;
}

type List = readonly string[];

/** The current text, made anew only when it would be another one. */
export function createObjectInfoText(
  nodes: NodeRegistry,
  source: ChoiceSource,
  onError: (name: string, error: unknown) => void,
): () => ObjectInfoText {
  let current: ObjectInfoText | undefined;
  /** By what was asked: how to ask again, and what came. */
  const lists = new Map<string, { read: () => List; was: List }>();

  const remember = (question: string, read: () => List): List => {
    const was = read();
    lists.set(question, { read, was });
    return was;
  };
  const recorder: ChoiceSource = {
    ...source,
    modelFiles: (folder) => remember(`models ${folder}`, () => source.modelFiles(folder)),
    modelDirectories: (folder, holding) =>
      remember(
        `directories ${folder} ${holding}`,
        () => source.modelDirectories?.(folder, holding) ?? [],
      ),
    inputFiles: (kind) => remember(`input ${kind}`, () => source.inputFiles(kind)),
    inputFolders: () => remember('input folders', () => source.inputFolders?.() ?? []),
    inputFilesBelow: (folder) =>
      remember(`input below ${folder}`, () => source.inputFilesBelow?.(folder) ?? []),
  };
  const isCurrent = (): boolean => {
    for (const { read, was } of lists.values()) if (!isSame(read(), was)) return false;
    return true;
  };

  return () => {
    if (current !== undefined && isCurrent()) return current;
    lists.clear();
    const text = stringifyJson(objectInfo(nodes, recorder, onError));
    let packed: Promise<Buffer> | undefined;
    current = {
      text,
      etag: `"${createHash('sha256').update(text).digest('base64url')}"`,
      gzipped: () => (packed ??= promisify(gzip)(text)),
    };
    return current;
  };
}

const isSame = (a: List, b: List): boolean =>
  a === b || (a.length === b.length && a.every((name, i) => name === b[i]));
