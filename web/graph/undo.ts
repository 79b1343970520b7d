/** A state of the graph. */
export interface Snapshot {
  /** Whether nothing was edited between this state and another one. */
  same(other: Snapshot): boolean;
  /** The whole state as text. */
  text(): string;
  /** About how many characters it holds that `other` does not hold too. */
  sizeBeyond(other: Snapshot | null): number;
}

/** Undo and redo over states of the whole graph. */
export interface UndoStack {
  /** Notes the present state as a step; returns whether it differs from the last one. */
  note(): boolean;
  /** Goes one step back; returns whether there was one. */
  undo(): boolean;
  /** Goes one step forward again; returns whether there was one. */
  redo(): boolean;
  /** Takes the present state as the one to compare with, without a step (the graph was loaded). */
  rebase(): void;
  /** Forgets all steps. */
  clear(): void;
  /** The text of the state that was noted, gone to or taken last. */
  text(): string;
}

/** What is remembered at most. */
export interface UndoLimits {
  readonly steps: number;
  /** Characters of all steps together; what steps share counts once. */
  readonly characters: number;
}

const usual: UndoLimits = { steps: 200, characters: 8e6 };

interface Step<S> {
  readonly state: S;
  readonly size: number;
}

/**
 * Makes an undo stack over `take` (the state now; the last one is given) and `restore`, which goes
 * from the present state to another one and returns what it is then.
 */
export function createUndoStack<S extends Snapshot>(
  take: (before?: S) => S,
  restore: (state: S, now: S) => S,
  limits: UndoLimits = usual,
): UndoStack {
  let past: Step<S>[] = [];
  let future: Step<S>[] = [];
  let current: S | undefined;
  const push = (to: Step<S>[], state: S): void => {
    to.push({ state, size: state.sizeBeyond(to.at(-1)?.state ?? null) });
  };
  const shorten = (): void => {
    let size = past.reduce((sum, step) => sum + step.size, 0);
    while (past.length > limits.steps || (size > limits.characters && past.length > 1)) {
      size -= past[0].size;
      past.shift();
    }
  };
  const step = (from: Step<S>[], to: Step<S>[]): boolean => {
    const state = from.pop()?.state;
    if (state === undefined || current === undefined) return false;
    push(to, current);
    current = restore(state, current);
    return true;
  };

  return {
    note() {
      const now = take(current);
      if (current?.same(now)) return false;
      if (current !== undefined) push(past, current);
      shorten();
      future = [];
      current = now;
      return true;
    },
    undo: () => step(past, future),
    redo: () => step(future, past),
    rebase: () => {
      current = take(current);
    },
    clear: () => {
      past = [];
      future = [];
      current = undefined;
    },
    text: () => current?.text() ?? '',
  };
}
