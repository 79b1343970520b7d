import type { State } from '../state.ts';

/** Short messages at the bottom of the page. */
export function Toasts({ state }: { state: State }) {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {state.toasts.value.map((item) => (
        <div key={item.id} class="toast" data-kind={item.kind}>
          {item.text}
        </div>
      ))}
    </div>
  );
}
