import { t } from '../locale/translate.ts';
import type { PageParts } from '../panels/parts.ts';
import { ask, type MenuItem } from '../state.ts';
import type { WorkflowDocument } from './document.ts';
import { cleanName } from './saving.ts';

type Parts = Pick<PageParts, 'editor' | 'files' | 'state'>;

/** Asks for another name of an open workflow; a saved one gets it on the server too. */
export async function renameTab({ editor, files, state }: Parts, tab: WorkflowDocument) {
  const { name, origin } = tab;
  const answer = await ask(state, {
    title: t('Rename workflow'),
    text: origin.value === null ? '' : t('A slash puts it into a folder.'),
    confirm: t('Rename'),
    field: name.value,
  });
  const wanted = answer === null ? null : cleanName(answer);
  if (wanted === null || wanted === name.value) return;
  if (origin.value === null) editor.documents.rename(tab, wanted);
  else await files.library.rename(origin.value, wanted);
}

/** Opens a copy of an open workflow in a tab of its own. */
export function duplicateTab({ editor }: Parts, tab: WorkflowDocument): void {
  editor.documents.duplicate(tab, t('{name} (copy)', { name: tab.name.value }));
}

/** Closes tabs one after the other, until one of them stays. */
async function closeAll({ files }: Parts, tabs: readonly WorkflowDocument[]): Promise<void> {
  for (const tab of tabs) if (!(await files.close(tab))) return;
}

/** What can be done with a tab. */
export function tabMenu(parts: Parts, tab: WorkflowDocument): readonly (MenuItem | null)[] {
  const { editor, files, state } = parts;
  const tabs = state.documents.value;
  const place = tabs.indexOf(tab);
  const others = tabs.filter((other) => other !== tab);
  const right = tabs.slice(place + 1);
  return [
    { label: t('Rename'), run: () => void renameTab(parts, tab) },
    { label: t('Duplicate'), run: () => duplicateTab(parts, tab) },
    { label: t('Save'), run: () => void files.save(false, tab) },
    { label: t('Save as'), run: () => void files.save(true, tab) },
    null,
    {
      label: t('Move left'),
      disabled: place === 0,
      run: () => editor.documents.move(tab, place - 1),
    },
    {
      label: t('Move right'),
      disabled: right.length === 0,
      run: () => editor.documents.move(tab, place + 1),
    },
    null,
    { label: t('Close'), run: () => void files.close(tab) },
    {
      label: t('Close others'),
      disabled: others.length === 0,
      run: () => void closeAll(parts, others),
    },
    {
      label: t('Close to the right'),
      disabled: right.length === 0,
      run: () => void closeAll(parts, right),
    },
    { label: t('Open the closed workflow again'), run: () => void editor.documents.reopen() },
  ];
}
