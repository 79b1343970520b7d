import { useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../locale/translate.ts';
import type { Question, State } from '../state.ts';

/** The dialog for something to be decided, or a name to be given. */
export function QuestionDialog({ state }: { state: State }) {
  const question = state.question.value;
  return question === null ? null : <Dialog key={question.title} {...question} />;
}

function Dialog({ title, text, confirm, otherwise, danger, field, answer }: Question) {
  const dialog = useRef<HTMLDialogElement>(null);
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    input.current?.select();
    // Closing, not only taking it away, gives the focus back to where it was.
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="question"
      aria-label={title}
      onCancel={() => answer(null)}
      onClick={(e) => e.target === e.currentTarget && answer(null)}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          answer(input.current?.value.trim() ?? '');
        }}
      >
        <h2>{title}</h2>
        {text !== '' && <p class="soft">{text}</p>}
        {field !== null && (
          <input ref={input} type="text" aria-label={title} required defaultValue={field} />
        )}
        <footer>
          <button type="button" onClick={() => answer(null)}>
            {t('Cancel')}
          </button>
          {otherwise !== null && (
            <button type="button" onClick={() => answer(otherwise)}>
              {otherwise}
            </button>
          )}
          <button type="submit" class={danger ? 'danger' : 'primary'}>
            {confirm}
          </button>
        </footer>
      </form>
    </dialog>
  );
}
