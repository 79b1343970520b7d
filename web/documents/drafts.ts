import { isRecord } from '../graph/input-spec.ts';
import { readView, type View } from '../graph/view.ts';
import { createTabOrders } from './tab-order.ts';
import { noVault, type Vault } from './vault.ts';

/** The safety copy of a document in the browser's store. */
export interface Draft {
  readonly id: string;
  /** The window whose document it is. */
  readonly window: string;
  readonly name: string;
  readonly origin: string | null;
  readonly modified: boolean;
  /** Fingerprint of the saved file's text when it was last read or written; null: never. */
  readonly base: string | null;
  /** Milliseconds since 1970 when it was written; of two drafts never the same. */
  readonly time: number;
  readonly view: View | null;
  /** The workflow as JSON text. */
  readonly workflow: string;
}

export type Drafts = ReturnType<typeof createDrafts>;

const prefix = 'noodle.draft.';
/** The single copy that earlier versions kept for all windows. */
const formerKey = 'noodle.autosave';

/**
 * The drafts of all windows of this browser. Each is an entry of `storage`, which is written at once,
 * and soon one of the vault too. Where the storage is full, what the vault has makes room in it.
 */
export function createDrafts(storage: Storage, vault: Vault = noVault) {
  let last = 0;
  /** Ids and times of drafts that the vault surely has. */
  const safe = new Map<string, number>();
  /** Drafts of the vault that are newer than the storage's, as of the last look. */
  let newer: readonly Draft[] = [];

  const read = (key: string): Draft | null => {
    try {
      return readDraft(JSON.parse(storage.getItem(key) ?? 'null'), key.slice(prefix.length));
    } catch {
      return null;
    }
  };
  const stored = (): Draft[] => {
    const keys = Array.from({ length: storage.length }, (_, i) => storage.key(i) ?? '');
    return keys
      .filter((key) => key.startsWith(prefix))
      .map(read)
      .filter((draft) => draft !== null);
  };
  const store = (draft: Draft): boolean => {
    try {
      storage.setItem(prefix + draft.id, JSON.stringify(draft));
      return true;
    } catch {
      return false;
    }
  };
  /** Stores a draft, if need be in the place of others, the oldest first, that the vault has. */
  const storeSomehow = (draft: Draft): boolean => {
    if (store(draft)) return true;
    for (const { id } of stored()
      .filter(({ id, time }) => id !== draft.id && safe.get(id) === time)
      .sort((a, b) => a.time - b.time)) {
      storage.removeItem(prefix + id);
      if (store(draft)) return true;
    }
    return false;
  };
  const write = (given: Omit<Draft, 'time'>): boolean => {
    last = Math.max(Date.now(), last + 1);
    const draft = { ...given, time: last };
    newer = newer.filter(({ id }) => id !== draft.id);
    vault.put(draft, () => safe.set(draft.id, draft.time));
    return storeSomehow(draft);
  };

  const tabs = createTabOrders(storage, vault);

  const former = read(formerKey);
  if (former !== null && write({ ...former, id: 'former', window: '' })) {
    storage.removeItem(formerKey);
  }

  return {
    /** Looks into the vault: what it has newer, or alone, is among `all` from then on. */
    async load(): Promise<void> {
      const records = (await vault.all()).filter(isRecord);
      tabs.loaded(records);
      const drafts = records
        .map((record) => readDraft(record, String(record.id)))
        .filter((draft) => draft !== null);
      for (const { id, time } of drafts) safe.set(id, time);
      const times = new Map(stored().map(({ id, time }) => [id, time]));
      newer = drafts.filter(({ id, time }) => time > (times.get(id) ?? 0));
    },
    /** All drafts, the newest first; entries that are none are passed over. */
    all(): Draft[] {
      const ids = new Set(newer.map(({ id }) => id));
      return [...newer, ...stored().filter(({ id }) => !ids.has(id))].sort(
        (a, b) => b.time - a.time,
      );
    },
    /** Keeps a draft; false when the browser's storage has no room for it, or forbids it. */
    write,
    /** Which of them are tabs of a window, and in what order. */
    tabs,
    remove(id: string): void {
      newer = newer.filter((draft) => draft.id !== id);
      storage.removeItem(prefix + id);
      vault.remove(id);
    },
  };
}

function readDraft(data: unknown, id: string): Draft | null {
  if (!isRecord(data) || typeof data.workflow !== 'string') return null;
  const text = (value: unknown, otherwise: string): string =>
    typeof value === 'string' ? value : otherwise;
  return {
    id,
    window: text(data.window, ''),
    name: text(data.name, 'Untitled'),
    origin: typeof data.origin === 'string' ? data.origin : null,
    modified: data.modified === true,
    base: typeof data.base === 'string' ? data.base : null,
    time: typeof data.time === 'number' ? data.time : 0,
    view: readView(data.view),
    workflow: data.workflow,
  };
}
