/** Undo and redo over whole-graph snapshots (workflow texts). */
export interface UndoStack {
  /** Notes the present state; returns whether it differs from the last one. */
  note(): boolean;
  undo(): void;
  redo(): void;
  /** Forgets everything and starts from the present state (a new workflow was loaded). */
  restart(): void;
  /** The present snapshot. */
  readonly current: string;
}

const limit = 60;

/** Makes an undo stack over `take` (a snapshot of now) and `restore` (go to a snapshot). */
export function createUndoStack(take: () => string, restore: (text: string) => void): UndoStack {
  let past: string[] = [];
  let future: string[] = [];
  let current = '';

  return {
    get current() {
      return current;
    },
    note() {
      const now = take();
      if (now === current) return false;
      past.push(current);
      if (past.length > limit) past.shift();
      future = [];
      current = now;
      return true;
    },
    undo() {
      const text = past.pop();
      if (text === undefined) return;
      future.push(current);
      restore(text);
      current = take();
    },
    redo() {
      const text = future.pop();
      if (text === undefined) return;
      past.push(current);
      restore(text);
      current = take();
    },
    restart() {
      past = [];
      future = [];
      current = take();
    },
  };
}
