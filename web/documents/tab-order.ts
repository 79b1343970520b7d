import { isRecord } from '../graph/input-spec.ts';

/** Which documents a window has as tabs, from left to right, and which one is in front. */
export interface TabOrder {
  readonly order: readonly string[];
  readonly active: string | null;
}

export type TabOrders = ReturnType<typeof createTabOrders>;

const prefix = 'noodle.tabs.';

/** The tabs of all windows of this browser, an entry of `storage` for each window. */
export function createTabOrders(storage: Storage) {
  const write = (window: string, tabs: TabOrder): void => {
    try {
      storage.setItem(prefix + window, JSON.stringify(tabs));
    } catch {
      // No room: the drafts themselves say so, and come back in the order of their age.
    }
  };
  return {
    write,
    read(window: string): TabOrder {
      try {
        return readTabs(JSON.parse(storage.getItem(prefix + window) ?? 'null'));
      } catch {
        return readTabs(null);
      }
    },
    /** Forgets the tabs of windows that have no drafts any more. */
    prune(windows: ReadonlySet<string>): void {
      const keys = Array.from({ length: storage.length }, (_, i) => storage.key(i) ?? '');
      for (const key of keys) {
        if (key.startsWith(prefix) && !windows.has(key.slice(prefix.length))) {
          storage.removeItem(key);
        }
      }
    },
  };
}

function readTabs(data: unknown): TabOrder {
  const { order, active } = isRecord(data) ? data : {};
  const ids: unknown[] = Array.isArray(order) ? order : [];
  return {
    order: ids.filter((id): id is string => typeof id === 'string'),
    active: typeof active === 'string' ? active : null,
  };
}
