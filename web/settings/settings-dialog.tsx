import { signal, useSignal } from '@preact/signals';
import { t } from '../locale/translate.ts';
import type { PageParts } from '../panels/parts.ts';
import { SearchField } from '../panels/search-field.tsx';
import { openDialog } from '../state.ts';
import { Keybindings } from './keybindings.tsx';
import { sections, type SettingRow } from './rows.ts';
import { Setting } from './setting.tsx';
import '../style/settings.css';

type SettingsParts = Pick<PageParts, 'settings' | 'shortcuts' | 'state'>;

/** The page of the dialog that is no list of settings. */
export const keyPage = 'Keybindings';

/** Opens the settings at one of their pages. */
export function openSettings(parts: SettingsParts, page: string = sections[0]): void {
  const at = signal(page);
  openDialog(parts.state, {
    title: 'Settings',
    className: 'settings',
    body: () => <SettingsDialog {...parts} at={at} />,
  });
}

function SettingsDialog({ at, ...parts }: SettingsParts & { at: { value: string } }) {
  const text = useSignal('');
  const words = text.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const rows = parts.settings.rows();
  const pages = [...new Set([...sections, ...rows.map(({ section }) => section)])].filter((page) =>
    rows.some(({ section }) => section === page),
  );
  const isSearch = words.length > 0 && at.value !== keyPage;
  const shown = isSearch ? pages : pages.filter((page) => page === at.value);
  const found = rows.filter((row) => !isSearch || matches(row, words));
  return (
    <div class="settings-pages">
      <nav aria-label={t('Sections')}>
        <SearchField
          text={text}
          label={t('Search the settings')}
          placeholder={t('Search')}
          autofocus
        />
        {[...pages, keyPage].map((page) => (
          <button
            key={page}
            type="button"
            class="list-row"
            aria-current={page === at.value ? 'page' : undefined}
            onClick={() => {
              at.value = page;
              text.value = '';
            }}
          >
            {t(page)}
          </button>
        ))}
      </nav>
      <div class="settings-body" tabIndex={0} role="group" aria-label={t(at.value)}>
        {at.value === keyPage ? (
          <Keybindings {...parts} words={words} />
        ) : (
          shown.map((page) => (
            <Page key={page} {...parts} page={page} rows={found} isSearch={isSearch} />
          ))
        )}
        {isSearch && found.length === 0 && <p class="empty">{t('No setting matches.')}</p>}
      </div>
    </div>
  );
}

interface SectionParts extends SettingsParts {
  readonly page: string;
  readonly rows: readonly SettingRow[];
  readonly isSearch: boolean;
}

function Page({ page, rows, isSearch, ...parts }: SectionParts) {
  const mine = rows.filter(({ section }) => section === page);
  if (mine.length === 0) return null;
  return (
    <section>
      {isSearch && <h3>{t(page)}</h3>}
      {mine.map((row) => (
        <Setting key={row.id} {...parts} row={row} />
      ))}
    </section>
  );
}

const matches = ({ id, section, label, help = '' }: SettingRow, words: readonly string[]) => {
  const all = [id, section, label, help, t(section), t(label), t(help)].join(' ').toLowerCase();
  return words.every((word) => all.includes(word));
};
