import { isRecord } from '../graph/input-spec.ts';
import { readView, type View } from '../graph/view.ts';
import { createTabOrders } from './tab-order.ts';

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

/** The drafts of all windows of this browser, one entry of `storage` each. */
export function createDrafts(storage: Storage) {
  let last = 0;
  const read = (key: string): Draft | null => {
    try {
      return readDraft(JSON.parse(storage.getItem(key) ?? 'null'), key.slice(prefix.length));
    } catch {
      return null;
    }
  };
  const write = (draft: Omit<Draft, 'time'>): boolean => {
    last = Math.max(Date.now(), last + 1);
    try {
      storage.setItem(prefix + draft.id, JSON.stringify({ ...draft, time: last }));
      return true;
    } catch {
      return false;
    }
  };

  const former = read(formerKey);
  if (former !== null && write({ ...former, id: 'former', window: '' })) {
    storage.removeItem(formerKey);
  }

  return {
    /** All drafts, the newest first; entries that are none are passed over. */
    all(): Draft[] {
      const keys = Array.from({ length: storage.length }, (_, i) => storage.key(i) ?? '');
      return keys
        .filter((key) => key.startsWith(prefix))
        .map(read)
        .filter((draft) => draft !== null)
        .sort((a, b) => b.time - a.time);
    },
    /** Keeps a draft; false when the browser has no room for it, or forbids it. */
    write,
    /** Which of them are tabs of a window, and in what order. */
    tabs: createTabOrders(storage),
    remove: (id: string): void => storage.removeItem(prefix + id),
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
