import { computed, signal, type ReadonlySignal } from '@preact/signals';
import type { OutputFile } from './outputs-api.ts';

export type Selection = ReturnType<typeof createSelection>;

/** Which of the listed files are selected, as in a file manager: one, some, a stretch, all. */
export function createSelection(files: ReadonlySignal<readonly OutputFile[]>) {
  const paths = signal<ReadonlySet<string>>(new Set());
  /** The file that has the keys. */
  const cursor = signal(0);
  /** Where a stretch began. */
  let anchor = 0;

  const pathAt = (index: number): string | undefined => files.value.at(index)?.path;

  return {
    paths,
    cursor,
    files: computed(() => files.value.filter(({ path }) => paths.value.has(path))),
    has: (path: string): boolean => paths.value.has(path),
    only(index: number): void {
      const path = pathAt(index);
      paths.value = new Set(path === undefined ? [] : [path]);
      anchor = index;
      cursor.value = index;
    },
    toggle(index: number): void {
      const path = pathAt(index);
      if (path === undefined) return;
      const all = new Set(paths.value);
      if (!all.delete(path)) all.add(path);
      paths.value = all;
      anchor = index;
      cursor.value = index;
    },
    /** Everything between the last file that was picked and this one. */
    extendTo(index: number): void {
      const [from, to] = [Math.min(anchor, index), Math.max(anchor, index)];
      paths.value = new Set(files.value.slice(from, to + 1).map(({ path }) => path));
      cursor.value = index;
    },
    all(): void {
      paths.value = new Set(files.value.map(({ path }) => path));
    },
    clear(): void {
      if (paths.value.size > 0) paths.value = new Set();
    },
    /** Files that went away are selected no more. */
    prune(): void {
      cursor.value = Math.max(0, Math.min(cursor.value, files.value.length - 1));
      if (paths.value.size === 0) return;
      const there = new Set(files.value.map(({ path }) => path));
      const kept = [...paths.value].filter((path) => there.has(path));
      if (kept.length < paths.value.size) paths.value = new Set(kept);
    },
  };
}
