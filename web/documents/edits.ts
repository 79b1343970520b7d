import type { WorkflowDocument } from './document.ts';

interface EditParts {
  readonly active: () => WorkflowDocument;
  readonly redraw: () => void;
  /** The active document was edited: it goes to the browser's store when there is time. */
  readonly keepSoon: () => void;
}

/** Milliseconds of rest after which what happened counts as one edit. */
const rest = 120;

/** Turns "something may have changed" into undo steps and safety copies. */
export function trackEdits({ active, redraw, keepSoon }: EditParts) {
  let pending: ReturnType<typeof setTimeout> | undefined;
  const settle = (): void => {
    clearTimeout(pending);
    pending = undefined;
    redraw();
    const document = active();
    if (!document.undo.note()) return;
    document.modified.value = true;
    document.edition++;
    keepSoon();
  };

  return {
    /** Something may have been edited: note it for undo and keep a copy, soon. */
    changed(): void {
      redraw();
      clearTimeout(pending);
      pending = setTimeout(settle, rest);
    },
    /** The same at once: a finished command is a step of its own. */
    settle,
    /** A new gesture begins: what the one before edited is a step of its own, however quick the hand. */
    begin(): void {
      if (pending !== undefined) settle();
    },
    undoStep(direction: 'undo' | 'redo'): void {
      settle();
      const document = active();
      if (!document.undo[direction]()) return;
      document.modified.value = true;
      document.edition++;
      keepSoon();
    },
  };
}
