/** Notices that files of packs change, for those who write them (--dev-reload). */
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

export interface WatchOptions {
  /** The packs there are now: folders and files. */
  readonly paths: () => readonly string[];
  /** `code` is false when only what the page loads changed: no node has to be loaded anew. */
  readonly onChange: (change: { readonly code: boolean }) => void;
  /** Milliseconds between two looks. */
  readonly interval?: number;
}

/** A file's change time and size. */
type Stamps = ReadonlyMap<string, string>;

/** What nodes are never made of. */
const ASSETS =
  /^(?:web|locales|example_workflows|subgraphs|docs)\/|\.(?:md|html|css|png|jpe?g|webp|svg)$/;

/**
 * Looks at the files' times again and again, which works for links, network drives and containers
 * too. A change is told once the files have been still for one look. Returns how to stop.
 */
export function watchPacks({ paths, onChange, interval = 400 }: WatchOptions): () => void {
  let told: Stamps | undefined;
  let last: Stamps = new Map();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const look = async (): Promise<void> => {
    const now = new Map<string, string>();
    for (const path of paths()) await stampAll(path, path, now);
    told ??= now;
    const changed = differences(told, now);
    if (changed.length > 0 && differences(last, now).length === 0) {
      told = now;
      onChange({ code: changed.some((name) => !ASSETS.test(name)) });
    }
    last = now;
  };
  const next = (): void => {
    if (stopped) return;
    timer = setTimeout(
      () =>
        void look()
          .catch(() => undefined)
          .then(next),
      interval,
    );
    timer.unref();
  };
  void look().then(next, next);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** Names of files that came, went or changed, as paths within their pack with slashes. */
function differences(before: Stamps, after: Stamps): string[] {
  const names: string[] = [];
  for (const [key, stamp] of after) if (before.get(key) !== stamp) names.push(key);
  for (const key of before.keys()) if (!after.has(key)) names.push(key);
  return names.map((key) => key.slice(key.indexOf('\n') + 1));
}

/** Adds the stamps of a file, or of all files below a folder. */
async function stampAll(pack: string, path: string, stamps: Map<string, string>): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || stamps.size > MAX_FILES) return;
  if (!found.isDirectory()) {
    const name = relative(pack, path).split(sep).join('/');
    stamps.set(`${pack}\n${name}`, `${found.mtimeMs} ${found.size}`);
    return;
  }
  for (const name of await readdir(path).catch(() => [] as string[])) {
    if (!name.startsWith('.') && name !== 'node_modules') {
      await stampAll(pack, join(path, name), stamps);
    }
  }
}

/** More would keep the disk busy. */
const MAX_FILES = 5000;
