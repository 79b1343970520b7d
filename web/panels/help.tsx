import { gestures, type Command } from '../commands/command.ts';
import { shownChord } from '../commands/keyboard.ts';
import { t } from '../locale/translate.ts';
import { openDialog, type State } from '../state.ts';

/** Opens the list of keyboard shortcuts. */
export function openHelp(state: State, commands: readonly Command[]): void {
  openDialog(state, {
    title: 'Keyboard shortcuts',
    className: 'help',
    body: () => <Shortcuts commands={commands} />,
  });
}

function Shortcuts({ commands }: { commands: readonly Command[] }) {
  const rows = commands
    .filter(({ keys }) => keys.length > 0)
    .map(({ keys, title }) => [keys.map(shownChord).join(' / '), title] as const);
  return (
    <dl>
      {[...rows, ...gestures].map(([keys, what]) => (
        <div key={keys}>
          <dt>{keys}</dt>
          <dd>{t(what)}</dd>
        </div>
      ))}
    </dl>
  );
}
