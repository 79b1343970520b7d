import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { scoreOf, scoreOfAll, typedWords } from '../fuzzy.ts';
import { t } from '../locale/translate.ts';
import type { PageParts } from '../panels/parts.ts';
import { closeDialog, openDialog } from '../state.ts';
import type { Command } from './command.ts';
import { shownChord } from './keyboard.ts';
import '../style/palette.css';

type PaletteParts = Pick<PageParts, 'shortcuts' | 'state' | 'editor'>;

/** The palette's own command, which it does not list. */
export const paletteId = 'Noodle.CommandPalette';

const recentKey = 'noodle.recent-commands';
const recentCount = 8;

/** Opens the list of all commands, to be searched by typing. */
export function openPalette(parts: PaletteParts): void {
  const { editor, shortcuts, state } = parts;
  const id = openDialog(state, {
    title: 'Commands',
    className: 'palette',
    body: () => (
      <Palette
        shortcuts={shortcuts}
        run={(command) => {
          closeDialog(state, id);
          remember(command.id);
          command.run();
          editor.documents.settle();
        }}
      />
    ),
  });
}

interface ListParts extends Pick<PaletteParts, 'shortcuts'> {
  readonly run: (command: Command) => void;
}

function Palette({ shortcuts, run }: ListParts) {
  const text = useSignal('');
  const active = useSignal(0);
  const list = useRef<HTMLUListElement>(null);
  const found = searchCommands(shortcuts.commands.value, text.value);
  useEffect(() => {
    list.current?.children[active.value]?.scrollIntoView({ block: 'nearest' });
  }, [active.value]);
  const onKey = (event: KeyboardEvent): void => {
    const move = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (move !== 0) active.value = Math.max(0, Math.min(found.length - 1, active.value + move));
    else if (event.key === 'Enter' && found[active.value]) run(found[active.value]);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <input
        type="text"
        autofocus
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found.length > 0 ? `palette-${active.value}` : undefined}
        aria-label={t('Search the commands')}
        placeholder={t('Search the commands')}
        spellcheck={false}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          active.value = 0;
        }}
        onKeyDown={onKey}
      />
      <ul id="palette-list" role="listbox" aria-label={t('Commands')} ref={list}>
        {found.map((command, i) => (
          <li
            key={command.id}
            id={`palette-${i}`}
            role="option"
            aria-selected={i === active.value}
            onPointerMove={() => (active.value = i)}
            onClick={() => run(command)}
          >
            <span class="grow">
              {t(command.title)} <small>{t(command.group)}</small>
            </span>
            {shortcuts.chordsOf(command.id).map((chord) => (
              <kbd key={chord}>{shownChord(chord)}</kbd>
            ))}
          </li>
        ))}
      </ul>
      {found.length === 0 && <p class="empty">{t('No command matches.')}</p>}
    </>
  );
}

/** Commands that fit a text, best first; those used lately before others that fit as well. */
function searchCommands(commands: readonly Command[], text: string): readonly Command[] {
  const words = typedWords(text);
  const recent = recentCommands();
  const rank = ({ id }: Command): number =>
    recent.includes(id) ? recent.indexOf(id) : recent.length;
  return commands
    .filter(({ id }) => id !== paletteId)
    .flatMap((command) => {
      const { title, group } = command;
      const names = [t(title), title, `${t(group)} ${t(title)}`].map((name) => name.toLowerCase());
      const score = scoreOfAll(words, (word) =>
        Math.max(...names.map((name) => scoreOf(name, word))),
      );
      return score === null ? [] : [{ command, score }];
    })
    .sort((a, b) => b.score - a.score || rank(a.command) - rank(b.command))
    .map(({ command }) => command);
}

function recentCommands(): readonly string[] {
  try {
    const ids: unknown = JSON.parse(localStorage.getItem(recentKey) ?? '[]');
    return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}

function remember(id: string): void {
  const ids = [id, ...recentCommands().filter((other) => other !== id)].slice(0, recentCount);
  try {
    localStorage.setItem(recentKey, JSON.stringify(ids));
  } catch {
    // A full browser forgets what was used lately; nothing else.
  }
}
