import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { treeOf } from '../../library/tree.ts';
import { t } from '../../locale/translate.ts';
import type { AppParts } from '../parts.ts';
import { SearchField } from '../search-field.tsx';
import { SidePanel } from '../side-panel.tsx';
import { DraftList } from './draft-list.tsx';
import { Examples } from './examples.tsx';
import { SavedRow, SavedTree } from './saved-tree.tsx';
import '../../style/workflows.css';

/** Saved workflows as a tree, bookmarks, drafts, and the examples that come with the program. */
export function WorkflowPanel(parts: AppParts) {
  const { editor, files, state } = parts;
  const search = useSignal('');
  useEffect(() => {
    void files.refreshLists();
    void files.library.readBookmarks().catch(() => undefined);
    void editor.documents.refreshDrafts();
  }, []);
  const saved = state.saved.value;
  const tree = treeOf(saved, search.value);
  const searching = search.value.trim() !== '';
  const there = new Set(saved.map(({ path }) => path));
  const marked = [...files.library.bookmarks.value].filter((name) => there.has(`${name}.json`));
  return (
    <SidePanel
      title={t('Workflows')}
      state={state}
      actions={
        <button type="button" class="text" onClick={() => editor.documents.clear()}>
          {t('New')}
        </button>
      }
    >
      {saved.length > 0 && (
        <SearchField text={search} label={t('Search workflows')} className="panel-search" />
      )}
      {marked.length > 0 && !searching && (
        <section class="bookmarks" aria-label={t('Bookmarks')}>
          <h3>{t('Bookmarks')}</h3>
          {marked.sort().map((name) => (
            <SavedRow key={name} name={name} parts={parts}>
              {name}
            </SavedRow>
          ))}
        </section>
      )}
      <h3>{t('Saved')}</h3>
      {saved.length === 0 && <p class="empty">{t('Ctrl S saves the workflow here.')}</p>}
      {searching && tree.files.length + tree.folders.length === 0 && (
        <p class="empty">{t('Nothing of that name.')}</p>
      )}
      <SavedTree folder={tree} open={searching} parts={parts} />
      <DraftList editor={editor} state={state} />
      <Examples {...parts} />
    </SidePanel>
  );
}
