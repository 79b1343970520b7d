import { useEffect, useRef } from 'preact/hooks';
import type { WorkflowDocument } from '../documents/document.ts';
import { renameTab, tabMenu } from '../documents/tab-actions.ts';
import { t } from '../locale/translate.ts';
import { toast } from '../state.ts';
import { messageOf } from '../text.ts';
import { Icon } from './icons.tsx';
import type { AppParts } from './parts.ts';

/** The data type of a tab that is dragged: its document's id. */
const draggedTab = 'application/x-noodle-tab';

/** The workflows that are open in this window, and the button for an empty one. */
export function WorkflowTabs(parts: AppParts) {
  const { editor, state } = parts;
  const row = useRef<HTMLUListElement>(null);
  const front = state.document.value;
  const count = state.documents.value.length;
  useEffect(() => {
    row.current?.querySelector('[data-active=true]')?.scrollIntoView({ inline: 'nearest' });
  }, [front, count]);
  const dropAtEnd = (event: DragEvent): void => dropTab(event, parts, count);
  return (
    <nav class="workflow-tabs" aria-label={t('Open workflows')}>
      <ul
        ref={row}
        onWheel={(e) => row.current?.scrollBy({ left: e.deltaY + e.deltaX })}
        onDrop={dropAtEnd}
      >
        {state.documents.value.map((tab, place) => (
          <Tab key={tab.id} tab={tab} place={place} isFront={tab === front} parts={parts} />
        ))}
      </ul>
      <button
        type="button"
        title={t('New workflow')}
        aria-label={t('New workflow')}
        onClick={() => editor.documents.clear()}
      >
        <Icon name="plus" />
      </button>
    </nav>
  );
}

interface TabParts {
  readonly tab: WorkflowDocument;
  readonly place: number;
  readonly isFront: boolean;
  readonly parts: AppParts;
}

function Tab({ tab, place, isFront, parts }: TabParts) {
  const { editor, files, state } = parts;
  const name = tab.name.value;
  const show = (): void => {
    if (isFront) return;
    try {
      editor.documents.show(tab);
    } catch (error) {
      toast(state, messageOf(error), 'error');
    }
  };
  const close = (): void => void files.close(tab);
  const openMenu = (event: MouseEvent): void => {
    event.preventDefault();
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    // The menu key sends no place.
    const [x, y] = event.clientX > 0 ? [event.clientX, event.clientY] : [box.left, box.bottom];
    state.menu.value = { label: t('Workflow {name}', { name }), x, y, items: tabMenu(parts, tab) };
  };
  return (
    <li
      class="workflow-tab"
      data-active={isFront}
      draggable
      onDragStart={(e) => e.dataTransfer?.setData(draggedTab, tab.id)}
      onDrop={(e) => dropTab(e, parts, place)}
      onAuxClick={(e) => e.button === 1 && close()}
      // The middle button would start scrolling.
      onMouseDown={(e) => e.button === 1 && e.preventDefault()}
      onContextMenu={openMenu}
      title={tab.origin.value === null ? t('{name} (not saved yet)', { name }) : name}
    >
      <button
        type="button"
        class="name"
        aria-current={isFront ? 'page' : undefined}
        onClick={show}
        onDblClick={() => void renameTab(parts, tab)}
      >
        <span>{name}</span>
        {tab.modified.value && (
          <i>
            <span class="visually-hidden">{t('has unsaved changes')}</span>
          </i>
        )}
      </button>
      <button type="button" class="close" aria-label={t('Close {name}', { name })} onClick={close}>
        <Icon name="clear" />
      </button>
    </li>
  );
}

/** A tab was dropped on the row: it goes to that place. */
function dropTab(event: DragEvent, { editor, state }: AppParts, place: number): void {
  const id = event.dataTransfer?.getData(draggedTab);
  const tab = state.documents.value.find((document) => document.id === id);
  if (tab === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  editor.documents.move(tab, place);
}
