import type { Draft } from '../../documents/drafts.ts';
import { t } from '../../locale/translate.ts';
import { ask, toast } from '../../state.ts';
import { messageOf } from '../../text.ts';
import { Icon } from '../icons.tsx';
import type { AppParts } from '../parts.ts';

/** Unsaved work of windows that are gone. */
export function DraftList({ editor, state }: Pick<AppParts, 'editor' | 'state'>) {
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
      title: t('Remove the draft?'),
      text: t('What was not saved of {name} is lost.', { name: draft.name }),
      confirm: t('Remove draft'),
      danger: true,
    });
    if (answer === null) return;
    editor.documents.removeDraft(draft);
    await editor.documents.refreshDrafts();
  };
  return (
    <>
      <h3>{t('Drafts')}</h3>
      {drafts.map((draft) => (
        <div key={draft.id} class="draft-row">
          <button type="button" class="list-row" onClick={() => open(draft)}>
            <Icon name="document" />
            {draft.name}
            <small>{timeOf(draft.time)}</small>
          </button>
          <button
            type="button"
            aria-label={t('Remove the draft {name}', { name: draft.name })}
            title={t('Remove')}
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
