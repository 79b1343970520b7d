import { commandGroups, gestures } from '../commands/command.ts';
import { shownChord } from '../commands/keyboard.ts';
import type { Shortcuts } from '../commands/shortcuts.ts';
import { t } from '../locale/translate.ts';
import { openDialog, type State } from '../state.ts';

/** Opens the list of keyboard shortcuts. */
export function openHelp(state: State, shortcuts: Shortcuts): void {
  openDialog(state, {
    title: 'Keyboard shortcuts',
    className: 'help',
    body: () => <KeyList shortcuts={shortcuts} />,
  });
}

function KeyList({ shortcuts }: { shortcuts: Shortcuts }) {
  const rows = shortcuts.commands.value
    .map(({ id, title, group }) => ({ title, group, keys: shortcuts.chordsOf(id) }))
    .filter(({ keys }) => keys.length > 0);
  const groups = [...new Set([...commandGroups, ...rows.map(({ group }) => group)])];
  return (
    <div class="help-groups" tabIndex={0} role="group" aria-label={t('Keyboard shortcuts')}>
      {groups.map((group) => (
        <Group
          key={group}
          title={group}
          rows={rows
            .filter((row) => row.group === group)
            .map(({ keys, title }) => [[...new Set(keys.map(shownChord))], title])}
        />
      ))}
      <Group title="Gestures" rows={gestures.map(([keys, what]) => [[t(keys)], what])} />
    </div>
  );
}

interface GroupParts {
  readonly title: string;
  readonly rows: readonly (readonly [keys: readonly string[], what: string])[];
}

function Group({ title, rows }: GroupParts) {
  if (rows.length === 0) return null;
  return (
    <section>
      <h3>{t(title)}</h3>
      <dl>
        {rows.map(([keys, what]) => (
          <div key={what}>
            <dt>{t(what)}</dt>
            <dd>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
