import { isRecord } from '../graph/input-spec.ts';
import type { Vault } from './vault.ts';

/** Which documents a window has as tabs, from left to right, and which one is in front. */
export interface TabOrder {
  readonly order: readonly string[];
  readonly active: string | null;
}

interface Entry extends TabOrder {
  readonly time: number;
}

const prefix = 'noodle.tabs.';

/** The tabs of all windows of this browser, an entry for each window in `storage` and in the vault. */
export function createTabOrders(storage: Storage, vault: Vault) {
  /** Entries of the vault, as of the last look. */
  let vaulted = new Map<string, Entry>();
  const stored = (window: string): Entry => {
    try {
      return readEntry(JSON.parse(storage.getItem(prefix + window) ?? 'null'));
    } catch {
      return readEntry(null);
    }
  };
  return {
    /** Takes what lies in the vault. */
    loaded(records: readonly Record<string, unknown>[]): void {
      const own = records.filter(({ id }) => String(id).startsWith(prefix));
      vaulted = new Map(own.map((each) => [String(each.id).slice(prefix.length), readEntry(each)]));
    },
    write(window: string, tabs: TabOrder): void {
      const entry: Entry = { ...tabs, time: Date.now() };
      vaulted.delete(window);
      vault.put({ id: prefix + window, ...entry });
      try {
        storage.setItem(prefix + window, JSON.stringify(entry));
      } catch {
        // No room: it is in the vault.
      }
    },
    read(window: string): TabOrder {
      const [here, there] = [stored(window), vaulted.get(window)];
      return there !== undefined && there.time > here.time ? there : here;
    },
    /** Forgets the tabs of windows that have no drafts any more. */
    prune(windows: ReadonlySet<string>): void {
      const keys = Array.from({ length: storage.length }, (_, i) => storage.key(i) ?? '');
      const all = [...keys, ...[...vaulted.keys()].map((window) => prefix + window)];
      for (const key of all) {
        if (!key.startsWith(prefix) || windows.has(key.slice(prefix.length))) continue;
        storage.removeItem(key);
        vault.remove(key);
      }
    },
  };
}

function readEntry(data: unknown): Entry {
  const { order, active, time } = isRecord(data) ? data : {};
  const ids: unknown[] = Array.isArray(order) ? order : [];
  return {
    order: ids.filter((id): id is string => typeof id === 'string'),
    active: typeof active === 'string' ? active : null,
    time: typeof time === 'number' ? time : 0,
  };
}
