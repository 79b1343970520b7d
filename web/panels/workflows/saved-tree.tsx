import type { ComponentChildren } from 'preact';
import { baseOf, movedInto, type Folder } from '../../library/tree.ts';
import { t } from '../../locale/translate.ts';
import type { MenuItem } from '../../state.ts';
import { Icon } from '../icons.tsx';
import type { AppParts } from '../parts.ts';
import { folderMenu, workflowMenu } from './workflow-menu.ts';

/** The data type of a saved workflow or folder that is dragged: its name. */
const draggedWorkflow = 'application/x-noodle-workflow';

interface TreeParts {
  readonly folder: Folder;
  /** Everything is open: there are few after a search. */
  readonly open: boolean;
  readonly parts: AppParts;
}

/** A folder's folders and workflows; what is dropped on it moves into it. */
export function SavedTree({ folder, open, parts }: TreeParts) {
  return (
    <div class="saved-tree" onDrop={(e) => moveHere(e, parts, folder.name)}>
      {folder.folders.map((inner) => (
        <details key={inner.name} open={open} onDrop={(e) => moveHere(e, parts, inner.name)}>
          <summary
            draggable
            onDragStart={(e) => e.dataTransfer?.setData(draggedWorkflow, inner.name)}
            onContextMenu={(e) => openMenu(e, parts, inner.name, folderMenu(parts, inner.name))}
          >
            <Icon name="chevron" />
            <Icon name="folder" />
            <span class="grow">{baseOf(inner.name)}</span>
            <small>{inner.files.length}</small>
          </summary>
          <SavedTree folder={inner} open={open} parts={parts} />
        </details>
      ))}
      {folder.files.map((name) => (
        <SavedRow key={name} name={name} parts={parts}>
          {baseOf(name)}
        </SavedRow>
      ))}
    </div>
  );
}

interface RowParts {
  readonly name: string;
  readonly parts: AppParts;
  readonly children: ComponentChildren;
}

/** A saved workflow: opens by a click, carries its menu, can be dragged into a folder. */
export function SavedRow({ name, parts, children }: RowParts) {
  const { files, state } = parts;
  const { library } = files;
  const marked = library.bookmarks.value.has(name);
  const isFront = state.document.value.origin.value === name;
  return (
    <div
      class="saved-row"
      data-front={isFront}
      draggable
      onDragStart={(e) => e.dataTransfer?.setData(draggedWorkflow, name)}
      onContextMenu={(e) => openMenu(e, parts, name, workflowMenu(parts, name))}
    >
      <button
        type="button"
        class="list-row"
        title={name}
        onClick={() => void files.openSaved(name)}
      >
        <Icon name="document" />
        <span>{children}</span>
      </button>
      <button
        type="button"
        class="star"
        aria-pressed={marked}
        aria-label={t('Bookmark {name}', { name })}
        title={t('Bookmark')}
        onClick={() => void library.toggleBookmark(name)}
      >
        <Icon name="star" />
      </button>
      <button
        type="button"
        class="more"
        aria-label={t('What to do with {name}', { name })}
        aria-haspopup="menu"
        onClick={(e) => openMenu(e, parts, name, workflowMenu(parts, name))}
      >
        <Icon name="more" />
      </button>
    </div>
  );
}

function openMenu(
  event: MouseEvent,
  { state }: AppParts,
  name: string,
  items: readonly (MenuItem | null)[],
): void {
  event.preventDefault();
  event.stopPropagation();
  const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
  const byMouse = event.type === 'contextmenu' && event.clientX > 0;
  const [x, y] = byMouse ? [event.clientX, event.clientY] : [box.left, box.bottom];
  state.menu.value = { label: name, x, y, items };
}

/** Something of the tree was dropped on a folder: it moves there, unless it is that folder. */
function moveHere(event: DragEvent, { files }: AppParts, folder: string): void {
  const name = event.dataTransfer?.getData(draggedWorkflow);
  if (name === undefined || name === '') return;
  event.preventDefault();
  event.stopPropagation();
  const to = movedInto(folder, name);
  if (to !== name && !`${folder}/`.startsWith(`${name}/`)) void files.library.rename(name, to);
}
