/** One write for all that is said to a client in one turn of the event loop: each write wakes it. */
import type { Duplex } from 'node:stream';

/** Bytes that go out before the turn ends, so that what waits for the client stays known. */
const LIMIT = 256 * 1024;

/** Makes `send` of a websocket gather its frames in the stream below it until the turn ends. */
export function corkTurns<Arguments extends unknown[]>(
  socket: { send: (...args: Arguments) => void },
  stream: Duplex,
): void {
  const send = socket.send.bind(socket);
  let corked = false;
  const uncork = (): void => {
    if (!corked) return;
    corked = false;
    stream.uncork();
  };
  socket.send = (...args) => {
    if (!corked) {
      corked = true;
      stream.cork();
      setImmediate(uncork);
    }
    send(...args);
    if (stream.writableLength > LIMIT) uncork();
  };
}
