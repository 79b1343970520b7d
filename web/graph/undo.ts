/** A state of the graph; equal `shape` means that nothing was edited in between. */
export interface Snapshot {
  readonly shape: string;
  /** The whole state as text, to come back to; made when it is asked for. */
  readonly text: () => string;
}

/** Undo and redo over whole-graph snapshots. */
export interface UndoStack {
  /** Notes the present state as a step; returns whether it differs from the last one. */
  note(): boolean;
  /** Goes one step back; returns whether there was one. */
  undo(): boolean;
  /** Goes one step forward again; returns whether there was one. */
  redo(): boolean;
  /** Takes the present state as the one to compare with, without a step (the graph was loaded). */
  rebase(): void;
  /** The text of the state that was noted, gone to or taken last. */
  text(): string;
}

const limit = 60;

/** Makes an undo stack over `take` (a snapshot of now) and `restore` (go to a snapshot's text). */
export function createUndoStack(take: () => Snapshot, restore: (text: string) => void): UndoStack {
  let past: string[] = [];
  let future: string[] = [];
  let current = { shape: '', text: '' };
  const adopt = ({ shape, text } = take()): void => {
    current = { shape, text: text() };
  };
  const step = (from: string[], to: string[]): boolean => {
    const text = from.pop();
    if (text === undefined) return false;
    to.push(current.text);
    restore(text);
    adopt();
    return true;
  };

  return {
    note() {
      const now = take();
      if (now.shape === current.shape) return false;
      past = [...past, current.text].slice(-limit);
      future = [];
      adopt(now);
      return true;
    },
    undo: () => step(past, future),
    redo: () => step(future, past),
    rebase: () => adopt(),
    text: () => current.text,
  };
}
