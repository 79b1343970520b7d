import { computed, signal } from '@preact/signals';
import { isRecord } from '../graph/input-spec.ts';
import type { Settings } from '../settings/settings.ts';
import type { Command } from './command.ts';

/** A chord as ComfyUI keeps it. */
export interface Combo {
  readonly key: string;
  readonly ctrl?: boolean;
  readonly alt?: boolean;
  readonly shift?: boolean;
}

/** A chord and the command it starts, as ComfyUI keeps them in its settings. */
interface Binding {
  readonly commandId: string;
  readonly combo: Combo;
}

/** Settings of ComfyUI: chords the user gave, and chords of ours that the user took away. */
const given = 'Comfy.Keybinding.NewBindings';
const taken = 'Comfy.Keybinding.UnsetBindings';

export type Shortcuts = ReturnType<typeof createShortcuts>;

/**
 * The commands of the page and of node packs, and which chord starts which: the commands' own
 * keys, less those the user took away, and those the user gave. A chord starts one command.
 */
export function createShortcuts(settings: Pick<Settings, 'other' | 'setOther'>) {
  const commands = signal<readonly Command[]>([]);
  const listOf = (id: string): readonly Binding[] => readBindings(settings.other(id));

  const defaults = computed(
    () => new Map(commands.value.flatMap(({ id, keys }) => keys.map((chord) => [chord, id]))),
  );
  const owners = computed(() => {
    const all = new Map(defaults.value);
    for (const { commandId, combo } of listOf(taken)) {
      const chord = chordOfCombo(combo);
      if (all.get(chord) === commandId) all.delete(chord);
    }
    for (const { commandId, combo } of listOf(given)) all.set(chordOfCombo(combo), commandId);
    return all;
  });

  const keep = async (gives: readonly Binding[], takes: readonly Binding[]): Promise<void> => {
    await Promise.all([settings.setOther(given, gives), settings.setOther(taken, takes)]);
  };
  const without = (list: readonly Binding[], chords: readonly string[]): readonly Binding[] =>
    list.filter(({ combo }) => !chords.includes(chordOfCombo(combo)));

  return {
    commands,
    /** Adds commands, the page's or a pack's. */
    add: (more: readonly Command[]): void => {
      commands.value = [...commands.value, ...more];
    },
    find: (id: string): Command | undefined => commands.value.find((c) => c.id === id),
    /** The command that a chord starts. */
    commandOf: (chord: string): Command | undefined =>
      commands.value.find(({ id }) => id === owners.value.get(chord)),
    /** Chords that start a command, its own first. */
    chordsOf: (id: string): readonly string[] =>
      [...owners.value].filter(([, owner]) => owner === id).map(([chord]) => chord),
    /** Whether the user changed something about the chords of a command. */
    isChanged: (id: string): boolean =>
      [...listOf(given), ...listOf(taken)].some(({ commandId }) => commandId === id),
    /** Gives a chord to a command and takes it from the one that has it; rejects as settings do. */
    assign: (id: string, chord: string): Promise<void> => {
      const gives = without(listOf(given), [chord]);
      const takes = without(listOf(taken), [chord]);
      const owner = defaults.value.get(chord);
      if (owner === id) return keep(gives, takes);
      const loss = owner === undefined ? [] : [{ commandId: owner, combo: comboOf(chord) }];
      return keep([...gives, { commandId: id, combo: comboOf(chord) }], [...takes, ...loss]);
    },
    /** Takes a chord from a command; one of its own stays away until it is reset. */
    remove: (id: string, chord: string): Promise<void> => {
      const gives = without(listOf(given), [chord]);
      const takes = without(listOf(taken), [chord]);
      const isOwn = defaults.value.get(chord) === id;
      return keep(gives, isOwn ? [...takes, { commandId: id, combo: comboOf(chord) }] : takes);
    },
    /** Puts the chords of a command back to its own, also those that others took from it. */
    reset: (id: string): Promise<void> => {
      const mine = listOf(given).filter(({ commandId }) => commandId === id);
      const own = commands.value.find((c) => c.id === id)?.keys ?? [];
      const chords = [...mine.map(({ combo }) => chordOfCombo(combo)), ...own];
      return keep(without(listOf(given), chords), without(listOf(taken), chords));
    },
    resetAll: (): Promise<void> => keep([], []),
  };
}

/** What was stored, without what is no binding. */
function readBindings(stored: unknown): readonly Binding[] {
  if (!Array.isArray(stored)) return [];
  return (stored as unknown[]).filter(
    (one): one is Record<string, unknown> & Binding =>
      isRecord(one) &&
      typeof one.commandId === 'string' &&
      isRecord(one.combo) &&
      typeof one.combo.key === 'string',
  );
}

/** A combo of ComfyUI as commands name chords: 'ctrl+shift+s'. */
export function chordOfCombo({ key, ctrl, alt, shift }: Combo): string {
  return [ctrl && 'ctrl', alt && 'alt', shift && 'shift', key.toLowerCase()]
    .filter(Boolean)
    .join('+');
}

/** The combo that ComfyUI would keep for a chord. */
export function comboOf(chord: string): Combo {
  const [, names, key] = /^((?:(?:ctrl|alt|shift)\+)*)(.+)$/.exec(chord) ?? ['', '', chord];
  const held = (name: string): boolean => names.includes(`${name}+`);
  return { key, ctrl: held('ctrl'), alt: held('alt'), shift: held('shift') };
}
