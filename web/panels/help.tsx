import { useEffect, useRef } from 'preact/hooks';
import { shortcuts } from '../keys.ts';
import type { State } from '../state.ts';
import { Icon } from './icons.tsx';

/** The list of keyboard shortcuts. */
export function HelpDialog({ state }: { state: State }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (state.help.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [state.help.value]);
  return (
    <dialog
      ref={dialog}
      class="help"
      aria-label="Keyboard shortcuts"
      onClose={() => {
        state.help.value = false;
      }}
      onClick={(e) => e.target === e.currentTarget && e.currentTarget.close()}
    >
      <header>
        <h2>Keyboard shortcuts</h2>
        <span class="grow" />
        <button type="button" aria-label="Close" onClick={() => dialog.current?.close()}>
          <Icon name="clear" />
        </button>
      </header>
      <dl>
        {shortcuts.map(([keys, what]) => (
          <div key={keys}>
            <dt>{keys}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}
