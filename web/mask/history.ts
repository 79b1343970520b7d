import type { Change } from './edit.ts';

/** Steps back and forth; the oldest go when all together are larger than `limit` bytes. */
export interface History {
  add(change: Change): void;
  /** Takes the last step back; what changed, or null when there is none. */
  undo(): Change | null;
  redo(): Change | null;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
}

/** A history that is empty; `limit` in bytes. */
export function createHistory(limit = 256 * 1024 * 1024): History {
  const past: Change[] = [];
  let future: Change[] = [];
  const move = (from: Change[], to: Change[]): Change | null => {
    const change = from.pop();
    if (change === undefined) return null;
    change.swap();
    to.push(change);
    return change;
  };
  return {
    add(change) {
      past.push(change);
      future = [];
      let bytes = past.reduce((sum, each) => sum + each.bytes, 0);
      // The last step can always be taken back, however large it is.
      while (bytes > limit && past.length > 1) bytes -= (past.shift() as Change).bytes;
    },
    undo: () => move(past, future),
    redo: () => move(future, past),
    get canUndo() {
      return past.length > 0;
    },
    get canRedo() {
      return future.length > 0;
    },
  };
}
