import { useRef } from 'preact/hooks';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import type { Gallery } from './gallery.ts';
import type { OutputQuery } from './outputs-api.ts';

const directories = [
  ['output', 'Outputs'],
  ['temp', 'Previews'],
  ['input', 'Inputs'],
] as const;
const kinds = [
  ['', 'All kinds'],
  ['image', 'Pictures'],
  ['video', 'Videos'],
  ['audio', 'Sounds'],
] as const;
const sorts = [
  ['newest', 'Newest first'],
  ['oldest', 'Oldest first'],
  ['name', 'By name'],
  ['largest', 'Largest first'],
] as const;

/** Milliseconds after the last key before a search is asked for. */
const patience = 200;

const countText = (count: number): string =>
  count === 1 ? t('1 file') : t('{count} files', { count });

/** What of the files is shown, and in which order. */
export function Toolbar({ gallery }: { gallery: Gallery }) {
  const { query, total } = gallery;
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const { directory, kind, sort, favourites, q } = query.value;
  const choice = (
    label: string,
    value: string,
    choices: readonly (readonly [string, string])[],
    set: (value: string) => void,
  ) => (
    <select aria-label={label} value={value} onChange={(event) => set(event.currentTarget.value)}>
      {choices.map(([id, text]) => (
        <option key={id} value={id}>
          {t(text)}
        </option>
      ))}
    </select>
  );
  return (
    <div class="gallery-tools">
      <input
        type="search"
        class="panel-search"
        placeholder={t('Search names and prompts')}
        aria-label={t('Search names and prompts')}
        defaultValue={q}
        onInput={(event) => {
          const text = event.currentTarget.value;
          clearTimeout(timer.current);
          timer.current = setTimeout(() => gallery.set({ q: text }), patience);
        }}
      />
      {choice(t('Folder'), directory, directories, (value) => {
        gallery.set({ directory: value as OutputQuery['directory'], favourites: false });
      })}
      {choice(t('Kind'), kind ?? '', kinds, (value) => {
        gallery.set({ kind: value === '' ? null : (value as OutputQuery['kind']) });
      })}
      {choice(t('Order'), sort, sorts, (value) => {
        gallery.set({ sort: value as OutputQuery['sort'] });
      })}
      <button
        type="button"
        class="favourites"
        aria-pressed={favourites}
        disabled={directory !== 'output'}
        title={t('Only favourites')}
        aria-label={t('Only favourites')}
        onClick={() => gallery.set({ favourites: !favourites })}
      >
        <Icon name="heart" />
      </button>
      <small role="status">{total.value === null ? '' : countText(total.value)}</small>
    </div>
  );
}
