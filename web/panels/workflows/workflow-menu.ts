import { downloadText } from '../../download.ts';
import { cleanName } from '../../documents/saving.ts';
import { parseJson, toPlain } from '../../../engine/workflow/lossless-json.ts';
import { insertWorkflow } from '../../graph/insert.ts';
import { baseOf, movedInto, parentOf } from '../../library/tree.ts';
import { t } from '../../locale/translate.ts';
import { ask, toast, type MenuItem } from '../../state.ts';
import { messageOf } from '../../text.ts';
import type { AppParts } from '../parts.ts';

type Parts = Pick<AppParts, 'editor' | 'files' | 'state'>;

/** What can be done with a saved workflow. */
export function workflowMenu(parts: Parts, name: string): readonly (MenuItem | null)[] {
  const { files } = parts;
  const { library } = files;
  const marked = library.bookmarks.value.has(name);
  return [
    { label: t('Open'), run: () => void files.openSaved(name) },
    { label: t('Insert into this workflow'), run: () => void insertSaved(parts, name) },
    null,
    { label: t('Rename'), run: () => void rename(parts, name) },
    { label: t('Move to folder'), run: () => void moveToFolder(parts, name) },
    { label: t('Duplicate'), run: () => void library.duplicate(name) },
    { label: t('Download as JSON'), run: () => void download(parts, name) },
    {
      label: marked ? t('Remove bookmark') : t('Bookmark'),
      run: () => void library.toggleBookmark(name),
    },
    null,
    { label: t('Delete'), run: () => void library.remove(name) },
  ];
}

/** What can be done with a folder of saved workflows. */
export function folderMenu(parts: Parts, name: string): readonly (MenuItem | null)[] {
  return [
    { label: t('Rename'), run: () => void rename(parts, name) },
    { label: t('Delete with all in it'), run: () => void parts.files.library.remove(name) },
  ];
}

async function rename({ files, state }: Parts, name: string): Promise<void> {
  const answer = await ask(state, {
    title: t('Rename'),
    confirm: t('Rename'),
    field: baseOf(name),
  });
  const wanted = answer === null ? null : cleanName(answer);
  if (wanted === null) return;
  const parent = parentOf(name);
  const to = parent === '' ? wanted : `${parent}/${wanted}`;
  if (to !== name) await files.library.rename(name, to);
}

async function moveToFolder({ files, state }: Parts, name: string): Promise<void> {
  const answer = await ask(state, {
    title: t('Move to folder'),
    text: t('A new name makes a new folder; a slash is the top.'),
    confirm: t('Move'),
    field: parentOf(name) || '/',
  });
  if (answer === null) return;
  const to = movedInto(cleanName(answer) ?? '', name);
  if (to !== name) await files.library.rename(name, to);
}

/** Runs what may fail for reasons outside the page, and says them. */
async function trying({ state }: Parts, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    toast(state, messageOf(error), 'error');
  }
}

const download = (parts: Parts, name: string): Promise<void> =>
  trying(parts, async () =>
    downloadText(`${baseOf(name)}.json`, await parts.files.library.read(name)),
  );

const insertSaved = (parts: Parts, name: string): Promise<void> =>
  trying(parts, async () => {
    const { editor, files } = parts;
    const file = toPlain(parseJson(await files.library.read(name)));
    insertWorkflow(editor.canvas, editor.graph, file);
    editor.documents.settle();
    editor.canvas.fitView();
  });
