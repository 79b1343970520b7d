import type { BinaryFrame, ServerMessage } from '../../engine/protocol.ts';

/** What the server tells this page over its socket, for whoever on the page wants to hear it. */
export type Feed = ReturnType<typeof createFeed>;

type Listener<T> = (told: T) => void;

/** Makes the feed of the client with this id. */
export function createFeed(clientId: string) {
  const messages = new Set<Listener<ServerMessage>>();
  const frames = new Set<Listener<BinaryFrame>>();
  return {
    clientId,
    /** Hears of every message; returns how to stop. */
    onMessage: (listener: Listener<ServerMessage>): (() => void) => {
      messages.add(listener);
      return () => void messages.delete(listener);
    },
    onFrame: (listener: Listener<BinaryFrame>): (() => void) => {
      frames.add(listener);
      return () => void frames.delete(listener);
    },
    message: (message: ServerMessage): void => {
      for (const listener of messages) listener(message);
    },
    frame: (frame: BinaryFrame): void => {
      for (const listener of frames) listener(frame);
    },
  };
}
