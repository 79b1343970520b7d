import { useEffect } from 'preact/hooks';
import { nameOf } from '../documents/saving.ts';
import type { Draft } from '../documents/drafts.ts';
import { ask, toast } from '../state.ts';
import { messageOf } from '../text.ts';
import type { AppParts } from './parts.ts';
import { Icon } from './icons.tsx';
import { SidePanel } from './side-panel.tsx';

/** Saved workflows and the examples that come with Noodle. */
export function WorkflowPanel({ editor, files, state }: AppParts) {
  useEffect(() => {
    void files.refreshLists();
    void files.library.readBookmarks().catch(() => undefined);
  }, []);
  const shown = state.document.value;
  useEffect(() => void editor.documents.refreshDrafts(), [shown]);
  return (
    <SidePanel
      title="Workflows"
      state={state}
      actions={
        <button type="button" class="text" onClick={() => editor.documents.clear()}>
          New
        </button>
      }
    >
      <h3>Saved</h3>
      {state.saved.value.length === 0 && <p class="empty">Ctrl S saves the workflow here.</p>}
      {state.saved.value
        .filter(({ isFolder }) => !isFolder)
        .map(({ path }) => nameOf(path))
        .map((name) => (
          <button
            key={name}
            type="button"
            class="list-row"
            onClick={() => void files.openSaved(name)}
          >
            <Icon name="document" />
            {name}
          </button>
        ))}
      <Drafts editor={editor} state={state} />
      <h3>Examples</h3>
      {[...state.examples.value].sort(defaultFirst).map((name) => (
        <button
          key={name}
          type="button"
          class="list-row"
          onClick={() => void files.openExample(name)}
        >
          <Icon name="nodes" />
          {titleOf(name)}
        </button>
      ))}
      {state.examples.value.length === 0 && <p class="empty">No examples on this server.</p>}
    </SidePanel>
  );
}

/** Work that was replaced on the canvas, or left in a window that is gone, before it was saved. */
function Drafts({ editor, state }: Pick<AppParts, 'editor' | 'state'>) {
  const drafts = state.drafts.value;
  if (drafts.length === 0) return null;
  const open = (draft: Draft): void => {
    try {
      editor.documents.openDraft(draft);
    } catch (error) {
      toast(state, messageOf(error), 'error');
    }
  };
  const remove = async (draft: Draft): Promise<void> => {
    const answer = await ask(state, {
      title: 'Remove the draft?',
      text: `What was not saved of ${draft.name} is lost.`,
      confirm: 'Remove draft',
      danger: true,
    });
    if (answer === null) return;
    editor.documents.removeDraft(draft);
    await editor.documents.refreshDrafts();
  };
  return (
    <>
      <h3>Drafts</h3>
      {drafts.map((draft) => (
        <div key={draft.id} class="draft-row">
          <button type="button" class="list-row" onClick={() => open(draft)}>
            <Icon name="document" />
            {draft.name}
            <small>{timeOf(draft.time)}</small>
          </button>
          <button
            type="button"
            aria-label={`Remove the draft ${draft.name}`}
            title="Remove"
            onClick={() => void remove(draft)}
          >
            <Icon name="trash" />
          </button>
        </div>
      ))}
    </>
  );
}

/** The hour of something today, the day of anything older. */
function timeOf(time: number): string {
  const date = new Date(time);
  const today = date.toDateString() === new Date().toDateString();
  return today
    ? date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
    : date.toLocaleDateString();
}

const defaultFirst = (a: string, b: string): number =>
  Number(b === 'default') - Number(a === 'default') || a.localeCompare(b);

const titleOf = (name: string): string => {
  const words = name.replace(/[-_]+/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};
