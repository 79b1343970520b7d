import { useSignal } from '@preact/signals';
import { commandGroups, type Command } from '../commands/command.ts';
import { chordOf } from '../commands/chord.ts';
import { shownChord } from '../commands/keyboard.ts';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import type { PageParts } from '../panels/parts.ts';
import { toast } from '../state.ts';
import { messageOf } from '../text.ts';

type KeyParts = Pick<PageParts, 'shortcuts' | 'state'>;

/** All commands and their keys, which may be changed. */
export function Keybindings({ words, ...parts }: KeyParts & { words: readonly string[] }) {
  const { shortcuts } = parts;
  const save = saver(parts);
  const shown = shortcuts.commands.value.filter(({ id, title, group }) => {
    const chords = shortcuts.chordsOf(id).map(shownChord);
    const all = [id, title, t(title), group, t(group), ...chords].join(' ').toLowerCase();
    return words.every((word) => all.includes(word));
  });
  const groups = [...new Set([...commandGroups, ...shown.map(({ group }) => group)])];
  return (
    <>
      {groups.map((group) => {
        const rows = shown.filter((command) => command.group === group);
        if (rows.length === 0) return null;
        return (
          <section key={group}>
            <h3>{t(group)}</h3>
            {rows.map((command) => (
              <CommandRow key={command.id} {...parts} command={command} />
            ))}
          </section>
        );
      })}
      {shown.length === 0 && <p class="empty">{t('No command matches.')}</p>}
      <footer>
        <button type="button" class="text" onClick={() => save(shortcuts.resetAll())}>
          {t('Reset all keys')}
        </button>
      </footer>
    </>
  );
}

function CommandRow({ command, ...parts }: KeyParts & { command: Command }) {
  const { shortcuts } = parts;
  const save = saver(parts);
  const isRecording = useSignal(false);
  const title = t(command.title);
  return (
    <div class="setting key-row" data-command={command.id}>
      <span class="grow" title={command.id}>
        {title}
      </span>
      {shortcuts.chordsOf(command.id).map((chord) => (
        <kbd key={chord}>
          {shownChord(chord)}
          <button
            type="button"
            aria-label={t('Remove {keys} from {name}', { keys: shownChord(chord), name: title })}
            onClick={() => save(shortcuts.remove(command.id, chord))}
          >
            <Icon name="clear" />
          </button>
        </kbd>
      ))}
      {isRecording.value ? (
        <Recorder {...parts} command={command} done={() => (isRecording.value = false)} />
      ) : (
        <button
          type="button"
          title={t('Add keys')}
          aria-label={t('Add keys to {name}', { name: title })}
          onClick={() => (isRecording.value = true)}
        >
          <Icon name="plus" />
        </button>
      )}
      {shortcuts.isChanged(command.id) && (
        <button
          type="button"
          title={t('Back to the default')}
          aria-label={t('Back to the default: {name}', { name: title })}
          onClick={() => save(shortcuts.reset(command.id))}
        >
          <Icon name="undo" />
        </button>
      )}
    </div>
  );
}

/** Takes the keys that are pressed; asks before it takes them from another command. */
function Recorder({ command, done, ...parts }: KeyParts & { command: Command; done: () => void }) {
  const { shortcuts } = parts;
  const pressed = useSignal('');
  const owner = shortcuts.commandOf(pressed.value);
  const isTaken = owner !== undefined && owner.id !== command.id;
  const take = (chord: string): void => {
    saver(parts)(shortcuts.assign(command.id, chord));
    done();
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Tab') return;
    event.preventDefault();
    event.stopPropagation();
    if (['Control', 'Shift', 'Alt', 'Meta'].includes(event.key)) return;
    const chord = chordOf(event);
    if (chord === 'escape') return done();
    if (chord === 'enter' && isTaken) return take(pressed.value);
    pressed.value = chord;
    const other = shortcuts.commandOf(chord);
    if (other === undefined || other.id === command.id) take(chord);
  };
  return (
    <span class="recorder" role="status">
      <input
        type="text"
        readOnly
        autofocus
        ref={(field) => field?.focus()}
        aria-label={t('Press the keys for {name}', { name: t(command.title) })}
        placeholder={t('Press keys')}
        value={pressed.value === '' ? '' : shownChord(pressed.value)}
        onKeyDown={onKey}
        onBlur={(event) => {
          const row = event.currentTarget.closest('.recorder');
          if (!row?.contains(event.relatedTarget as Node | null)) done();
        }}
      />
      {isTaken && (
        <>
          <em>{t('Used by {name}', { name: t(owner.title) })}</em>
          <button type="button" class="text" onClick={() => take(pressed.value)}>
            {t('Use here')}
          </button>
        </>
      )}
    </span>
  );
}

const saver =
  ({ state }: KeyParts) =>
  (saved: Promise<void>): void => {
    saved.catch((error: unknown) => {
      toast(state, t('Not saved on the server: {why}', { why: messageOf(error) }), 'error');
    });
  };
