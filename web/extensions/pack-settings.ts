import { effect } from '@preact/signals';
import type { SettingRow, SettingValue } from '../settings/rows.ts';
import type { Settings } from '../settings/settings.ts';
import { textOf } from '../text.ts';
import type { PackSetting } from './extension.ts';
import type { Registry } from './registry.ts';

export type PackSettings = ReturnType<typeof createPackSettings>;

/** `app.ui.settings`: settings of packs, kept beside ours and shown in the same dialog. */
export function createPackSettings(settings: Settings, registry: Registry) {
  const lookup: Record<string, PackSetting> = {};
  const valueOf = (id: string, otherwise?: unknown): unknown =>
    settings.other(id) ?? otherwise ?? defaultOf(lookup[id]);
  const set = async (id: string, value: unknown): Promise<void> => settings.setOther(id, value);

  const watch = ({ id, onChange }: PackSetting, name: string): void => {
    let before: unknown;
    effect(() => {
      const value = valueOf(id);
      registry.guarded(name, `onChange of ${id}`, () => onChange?.(value, before));
      before = value;
    });
  };

  return {
    settingsLookup: lookup,
    getSettingValue: valueOf,
    setSettingValue: set,
    setSettingValueAsync: set,
    /** Adds a setting; returns a handle to its value, as ComfyUI does. */
    addSetting: (setting: PackSetting, name = setting.id): { value: unknown } => {
      lookup[setting.id] = setting;
      const row = rowOf(setting);
      if (row !== null) settings.addRow(row);
      watch(setting, name);
      return {
        get value() {
          return valueOf(setting.id);
        },
        set value(value: unknown) {
          void set(setting.id, value);
        },
      };
    },
  };
}

const defaultOf = (setting: PackSetting | undefined): unknown =>
  typeof setting?.defaultValue === 'function'
    ? (setting.defaultValue as () => unknown)()
    : setting?.defaultValue;

/** The row of the dialog for a pack's setting; null for one that is not shown or draws itself. */
function rowOf(setting: PackSetting): SettingRow | null {
  const { id, type, name, tooltip, category, attrs } = setting;
  const base = {
    id,
    section: category?.[0] ?? 'Node packs',
    label: name ?? id,
    help: tooltip,
  };
  const start = defaultOf(setting);
  switch (type) {
    case 'boolean':
      return { ...base, default: start === true };
    case 'number':
    case 'slider': {
      const { min, max, step = 1 } = attrs ?? {};
      const range = min === undefined || max === undefined ? undefined : { min, max, step };
      return { ...base, default: Number(start ?? min ?? 0), range };
    }
    case 'combo':
    case 'radio': {
      const choices = choicesOf(setting.options, start);
      return { ...base, default: (start ?? choices[0]?.[0] ?? '') as SettingValue, choices };
    }
    case 'text':
    case 'url':
    case 'image':
      return { ...base, default: textOf(start) };
    case 'color':
      return { ...base, default: hashed(textOf(start)), control: 'color' };
    default:
      return null;
  }
}

/** Options as packs write them: texts, `{ text, value }`, or a function that gives them. */
function choicesOf(options: unknown, value: unknown): readonly (readonly [SettingValue, string])[] {
  const list: unknown =
    typeof options === 'function' ? (options as (v: unknown) => unknown)(value) : options;
  if (!Array.isArray(list)) return [];
  return (list as unknown[]).map((option) => {
    if (typeof option !== 'object' || option === null)
      return [option as SettingValue, textOf(option)];
    const { text, value: chosen } = option as { text?: unknown; value?: SettingValue };
    return [chosen ?? textOf(text), textOf(text ?? chosen)];
  });
}

const hashed = (color: string): string => (/^[0-9a-f]{6}$/i.test(color) ? `#${color}` : color);
