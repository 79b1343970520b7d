import { dismiss, type State } from '../state.ts';

/** Short messages at the bottom of the page. */
export function Toasts({ state }: { state: State }) {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {state.toasts.value.map(({ id, kind, text, action }) => (
        <div key={id} class="toast" data-kind={kind}>
          {text}
          {action !== null && (
            <button
              type="button"
              class="text"
              onClick={() => {
                dismiss(state, id);
                action.run();
              }}
            >
              {action.label}
            </button>
          )}
        </div>
      ))}
    </div>
  );
}
