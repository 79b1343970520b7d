/** `/ws` and `/api/ws`: the upgrade, under the same checks as every route. */
import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { corkTurns } from './cork.ts';
import type { Hub } from './hub.ts';
import type { Guard } from '../security.ts';

const PATHS = ['/ws', '/api/ws'];
/** Bytes a client may send at once; the only message that means anything is tiny. */
const MAX_MESSAGE = 4 * 1024 * 1024;
const MAX_SID = 256;

/** Answers upgrade requests of `server` and hands the sockets to the hub. */
export function acceptWebSockets(server: Server, hub: Hub, guard: Guard): void {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE,
    perMessageDeflate: false,
  });
  server.on('upgrade', (request, socket, head) => {
    const [path, query = ''] = (request.url ?? '').split('?', 2);
    const refusal = PATHS.includes(path) ? guard.refuse(request)?.status : 404;
    if (refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    // A peer that vanished without a word is noticed by the operating system.
    (socket as Socket).setKeepAlive(true, 60_000);
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      corkTurns(webSocket, socket);
      const sid = new URLSearchParams(query).get('clientId')?.slice(0, MAX_SID);
      hub.attach(webSocket, sid || randomBytes(16).toString('hex'));
    });
  });
}
