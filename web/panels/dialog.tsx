import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../locale/translate.ts';
import { closeDialog, type State } from '../state.ts';
import { Icon } from './icons.tsx';

/** Draws the dialogs that are open; the last one has the keys. */
export function Dialogs({ state }: { state: State }) {
  return state.dialogs.value.map(({ id, title, className, body: Body, close }) => (
    <Dialog
      key={id}
      title={title}
      className={className}
      close={close ?? (() => closeDialog(state, id))}
    >
      <Body />
    </Dialog>
  ));
}

interface DialogParts {
  readonly title: string;
  readonly className: string;
  readonly close: () => void;
  readonly children: ComponentChildren;
}

function Dialog({ title, className, close, children }: DialogParts) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    // Closing, not only taking it away, gives the focus back to where it was.
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${className}`}
      aria-label={t(title)}
      // The browser would close it on a second Escape without asking.
      onKeyDown={(e) => {
        if (e.key !== 'Escape') return;
        e.preventDefault();
        close();
      }}
      onCancel={(e) => {
        e.preventDefault();
        close();
      }}
      onClick={(e) => e.target === e.currentTarget && close()}
    >
      <header>
        <h2>{t(title)}</h2>
        <span class="grow" />
        <button type="button" aria-label={t('Close')} onClick={close}>
          <Icon name="clear" />
        </button>
      </header>
      {children}
    </dialog>
  );
}
