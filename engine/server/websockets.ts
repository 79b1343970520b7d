/** Websockets: the upgrade goes under the same checks as every route, the socket to its face. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { corkTurns } from './cork.ts';
import type { Face } from './face.ts';
import type { Guard } from './security.ts';

export interface WebSockets {
  /** Answers upgrade requests of `server` and hands the sockets to the faces. */
  accept(server: Server, faces: readonly Face[]): void;
  /** Open sockets. */
  size(): number;
  /** Says goodbye to all of them. */
  close(): void;
}

/** Bytes a client may send at once; the messages that mean anything are tiny. */
const MAX_MESSAGE = 4 * 1024 * 1024;

/** No sockets yet; every upgrade will be put before `guard`. */
export function createWebSockets(guard: Guard): WebSockets {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE,
    perMessageDeflate: false,
  });
  return {
    accept: (server, faces) =>
      void server.on('upgrade', (request, socket, head) => {
        const [path, query = ''] = (request.url ?? '').split('?', 2);
        const taker = faces.find((face) => face.sockets?.paths.includes(path))?.sockets;
        const refusal = taker === undefined ? 404 : guard.refuse(request)?.status;
        if (taker === undefined || refusal !== undefined) {
          socket.end(
            `HTTP/1.1 ${refusal} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
          );
          return;
        }
        // A peer that vanished without a word is noticed by the operating system.
        (socket as Socket).setKeepAlive(true, 60_000);
        sockets.handleUpgrade(request, socket, head, (webSocket) => {
          corkTurns(webSocket, socket);
          taker.attach(webSocket, new URLSearchParams(query));
        });
      }),
    size: () => sockets.clients.size,
    close: () => sockets.clients.forEach((socket) => socket.close(1001)),
  };
}
