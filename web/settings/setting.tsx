import { Icon } from '../panels/icons.tsx';
import type { PageParts } from '../panels/parts.ts';
import { t } from '../locale/translate.ts';
import { toast } from '../state.ts';
import { messageOf } from '../text.ts';
import type { SettingRow, SettingValue } from './rows.ts';

interface SettingParts extends Pick<PageParts, 'settings' | 'state'> {
  readonly row: SettingRow;
}

/** One setting: what it is, its control, and the way back to its default. */
export function Setting({ row, settings, state }: SettingParts) {
  const value = settings.valueOf(row);
  const change = (to: SettingValue): void => {
    settings.setOther(row.id, to).catch((error: unknown) => {
      toast(state, t('Not saved on the server: {why}', { why: messageOf(error) }), 'error');
    });
  };
  return (
    <div class="setting">
      <div class="grow">
        <label for={`setting-${row.id}`}>{t(row.label)}</label>
        {row.help !== undefined && <small>{t(row.help)}</small>}
      </div>
      {value !== row.default && (
        <button
          type="button"
          title={t('Back to the default')}
          aria-label={t('Back to the default: {name}', { name: t(row.label) })}
          onClick={() => change(row.default)}
        >
          <Icon name="undo" />
        </button>
      )}
      <Control row={row} value={value} change={change} />
    </div>
  );
}

interface ControlParts {
  readonly row: SettingRow;
  readonly value: SettingValue;
  readonly change: (value: SettingValue) => void;
}

function Control({ row, value, change }: ControlParts) {
  const id = `setting-${row.id}`;
  if (row.choices !== undefined) return <Choice row={row} value={value} change={change} />;
  if (typeof value === 'boolean') {
    return (
      <input
        id={id}
        type="checkbox"
        role="switch"
        class="switch"
        checked={value}
        onChange={(event) => change(event.currentTarget.checked)}
      />
    );
  }
  if (typeof value === 'number') return <NumberField row={row} value={value} change={change} />;
  const field = {
    id,
    value,
    onChange: (event: { currentTarget: HTMLInputElement }) => change(event.currentTarget.value),
  };
  return row.control === 'color' ? (
    <input type="color" {...field} />
  ) : (
    <input type="text" {...field} />
  );
}

function Choice({ row, value, change }: ControlParts) {
  const { choices = [] } = row;
  return (
    <select
      id={`setting-${row.id}`}
      value={String(value)}
      onChange={(event) => change(choices[event.currentTarget.selectedIndex][0])}
    >
      {choices.map(([choice, label]) => (
        <option key={String(choice)} value={String(choice)}>
          {t(label)}
        </option>
      ))}
    </select>
  );
}

function NumberField({ row, value, change }: ControlParts) {
  const { min, max, step } = row.range ?? {};
  const set = (text: string): void => {
    const number = Number(text);
    if (text === '' || !Number.isFinite(number)) return;
    change(Math.min(max ?? Infinity, Math.max(min ?? -Infinity, number)));
  };
  const common = { min, max, step: step ?? 'any', value: Number(value) };
  return (
    <>
      {row.range !== undefined && (
        <input
          type="range"
          aria-label={t(row.label)}
          {...common}
          onInput={(event) => set(event.currentTarget.value)}
        />
      )}
      <input
        id={`setting-${row.id}`}
        type="number"
        {...common}
        onChange={(event) => set(event.currentTarget.value)}
      />
    </>
  );
}
