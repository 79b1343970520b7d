import { useSignal } from '@preact/signals';
import { t } from '../locale/translate.ts';
import type { AppParts } from '../panels/parts.ts';
import { closeDialog, openDialog, toast, type State } from '../state.ts';
import type { MissingModel } from './missing-models.ts';

interface DialogParts extends Pick<AppParts, 'editor' | 'state'> {
  readonly models: readonly MissingModel[];
  /** Whole paths of the folders of the server's models, by name. */
  readonly folders: ReadonlyMap<string, string>;
  /** The user wants to hear no more of it for this workflow. */
  readonly silence: (silent: boolean) => void;
}

/** Tells which model files are not on the server, where they belong and where they are had from. */
export function openMissingModels(parts: DialogParts): void {
  const id: number = openDialog(parts.state, {
    title: 'Missing models',
    className: 'missing-models',
    body: () => <MissingModels {...parts} close={() => closeDialog(parts.state, id)} />,
  });
}

function MissingModels({
  editor,
  state,
  models,
  folders,
  silence,
  close,
}: DialogParts & { close: () => void }) {
  const silent = useSignal(false);
  const links = models.flatMap(({ url }) => url ?? []);
  return (
    <>
      <p>
        {t(
          'This workflow uses model files that are not on this server. Put each into its folder, then press R on the graph.',
        )}
      </p>
      <ul>
        {models.map(({ name, directory, url, nodes }) => (
          <li key={name}>
            <strong>{name}</strong>
            {directory !== null && (
              <span class="soft">
                {t('belongs into {folder}', {
                  folder: folders.get(directory) ?? `models/${directory}`,
                })}
              </span>
            )}
            {nodes.length > 0 && (
              <span class="soft">
                {t('needed by {titles}', { titles: nodes.map(({ title }) => title).join(', ') })}
              </span>
            )}
            <span class="row">
              {url !== null && (
                <>
                  <button type="button" class="text" onClick={() => copy(state, url)}>
                    {t('Copy link')}
                  </button>
                  <a href={url} target="_blank" rel="noreferrer noopener">
                    {t('Open link')}
                  </a>
                </>
              )}
              {nodes.length > 0 && (
                <button
                  type="button"
                  class="text"
                  onClick={() => {
                    close();
                    editor.showNode(nodes[0]);
                  }}
                >
                  {t('Show node')}
                </button>
              )}
            </span>
          </li>
        ))}
      </ul>
      <footer>
        <label>
          <input
            type="checkbox"
            checked={silent.value}
            onChange={(event) => {
              silent.value = event.currentTarget.checked;
              silence(silent.value);
            }}
          />
          {t('Do not show this again for this workflow')}
        </label>
        {links.length > 1 && (
          <button type="button" class="text" onClick={() => copy(state, links.join('\n'))}>
            {t('Copy all links')}
          </button>
        )}
      </footer>
    </>
  );
}

/** Puts a text on the clipboard; a page that is not served securely may not. */
function copy(state: State, text: string): void {
  void Promise.resolve()
    .then(() => navigator.clipboard.writeText(text))
    .then(
      () => toast(state, t('Copied')),
      () => toast(state, text),
    );
}
