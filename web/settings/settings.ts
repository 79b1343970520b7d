import { computed, signal, type ReadonlySignal } from '@preact/signals';
import { settingRows, type SettingName, type SettingRow, type SettingValue } from './rows.ts';

export type Settings = ReturnType<typeof createSettings>;

type Signals = { readonly [N in SettingName]: ReadonlySignal<(typeof settingRows)[N]['default']> };

interface SettingsParts {
  /** Keeps a value on the server, for all browsers of this user. */
  readonly save: (id: string, value: unknown) => Promise<void>;
  /** A copy in the browser: the page looks right before the server has answered. */
  readonly storage: Storage;
}

const key = 'noodle.settings';

/** The user's settings: one signal each, and what other pages or packs keep beside them. */
export function createSettings({ save, storage }: SettingsParts) {
  const stored = signal(readCopy(storage));
  const added = signal<readonly SettingRow[]>([]);
  const names = Object.keys(settingRows) as SettingName[];
  const signals = Object.fromEntries(
    names.map((name) => [
      name,
      computed(() => valueOf<SettingValue>(settingRows[name], stored.value)),
    ]),
  ) as unknown as Signals;
  const keep = (id: string, value: unknown): Promise<void> => {
    stored.value = { ...stored.value, [id]: value };
    writeCopy(storage, stored.value);
    return save(id, value);
  };

  return {
    ...signals,
    /** Everything the server keeps arrived. */
    loaded: (all: Readonly<Record<string, unknown>>): void => {
      stored.value = all;
      writeCopy(storage, all);
    },
    /** Changes a setting; rejects when the server could not keep it (it holds here all the same). */
    set: <N extends SettingName>(name: N, value: (typeof settingRows)[N]['default']) =>
      keep(settingRows[name].id, value),
    /** The rows of the page and those that node packs added, as the dialog lists them. */
    rows: (): readonly SettingRow[] => [...Object.values(settingRows), ...added.value],
    /** Adds the row of a pack; one that is there already stays. */
    addRow: (row: SettingRow): void => {
      if (added.value.some(({ id }) => id === row.id)) return;
      added.value = [...added.value, row];
    },
    /** The present value of a row. */
    valueOf: (row: SettingRow): SettingValue => valueOf(row, stored.value),
    /** A value that is no row, by its id: keybindings, bookmarks, settings of packs. */
    other: (id: string): unknown => stored.value[id],
    setOther: keep,
  };
}

/** A setting's value in what was stored; its default where that is none of its own. */
function valueOf<T extends SettingValue>(
  { id, default: otherwise, choices, range }: SettingRow<T>,
  stored: Readonly<Record<string, unknown>>,
): T {
  const value = stored[id];
  if (typeof value !== typeof otherwise) return otherwise;
  if (choices !== undefined && !choices.some(([choice]) => choice === value)) return otherwise;
  if (range !== undefined && !(Number(value) >= range.min && Number(value) <= range.max)) {
    return otherwise;
  }
  return value as T;
}

function readCopy(storage: Storage): Readonly<Record<string, unknown>> {
  try {
    const copy: unknown = JSON.parse(storage.getItem(key) ?? '{}');
    return typeof copy === 'object' && copy !== null ? (copy as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function writeCopy(storage: Storage, all: Readonly<Record<string, unknown>>): void {
  try {
    storage.setItem(key, JSON.stringify(all));
  } catch {
    // No room, or forbidden: the server's copy is the one that counts.
  }
}
