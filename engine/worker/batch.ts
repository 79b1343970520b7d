/** Many little messages in one: what wakes the other side is the sending, not the length. */

export interface Batch<T> {
  /** Holds the message back until `flush`, or until the turn of the event loop is over. */
  readonly put: (message: T) => void;
  /** Sends what is held. */
  readonly flush: () => void;
}

/** A batch in front of `send`, which gets lists in the order of their messages. */
export function createBatch<T>(send: (messages: readonly T[]) => void): Batch<T> {
  let held: T[] = [];
  const flush = (): void => {
    if (held.length === 0) return;
    const messages = held;
    held = [];
    send(messages);
  };
  return {
    put: (message) => {
      held.push(message);
      // Comes after all promises that can go on now: a chain of quick nodes is one turn.
      if (held.length === 1) process.nextTick(flush);
    },
    flush,
  };
}
