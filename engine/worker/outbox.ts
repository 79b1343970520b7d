/** Keeps the order of messages of which some take a while to make. */

export interface Outbox<T> {
  /** Passes a message on after all before it; one that fails to be made is left out. */
  put(message: T | Promise<T>): void;
  /** Resolves when everything put so far was passed on. */
  empty(): Promise<void>;
}

/** An outbox in front of `send`; messages that are ready and have nothing before them go at once. */
export function createOutbox<T>(send: (message: T) => void): Outbox<T> {
  let tail: Promise<void> | undefined;
  return {
    put: (message) => {
      if (tail === undefined && !(message instanceof Promise)) {
        send(message);
        return;
      }
      const before = tail;
      const mine = (async () => {
        const made = await Promise.resolve(message).catch(() => undefined);
        await before;
        if (made !== undefined) send(made);
      })();
      tail = mine;
      void mine.then(() => {
        if (tail === mine) tail = undefined;
      });
    },
    empty: async () => {
      await tail;
    },
  };
}
