import {
  decodeFrame,
  type BinaryFrame,
  type ClientMessage,
  type ServerMessage,
} from '../../engine/protocol.ts';

export type ConnectionState = 'connecting' | 'open' | 'lost';

export interface SocketHandlers {
  readonly message: (message: ServerMessage) => void;
  readonly frame: (frame: BinaryFrame) => void;
  /** `again` is true when the connection came back after a loss. */
  readonly state: (state: ConnectionState, again: boolean) => void;
}

const features: ClientMessage = {
  type: 'feature_flags',
  data: { supports_preview_metadata: true },
};

/** Keeps a websocket to the server open, reconnecting with growing pauses; returns its closer. */
export function openSocket(address: string, handlers: SocketHandlers): () => void {
  let closed = false;
  let opened = false;
  let attempt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let socket: WebSocket | null = null;

  const connect = (): void => {
    handlers.state(opened ? 'lost' : 'connecting', false);
    socket = new WebSocket(address);
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => {
      attempt = 0;
      // Only a first message counts, and it decides how previews are sent.
      socket?.send(JSON.stringify(features));
      handlers.state('open', opened);
      opened = true;
    });
    socket.addEventListener('message', (event: MessageEvent<unknown>) => {
      if (event.data instanceof ArrayBuffer) {
        const frame = decodeFrame(event.data);
        if (frame !== undefined) handlers.frame(frame);
      } else if (typeof event.data === 'string') {
        handlers.message(JSON.parse(event.data) as ServerMessage);
      }
    });
    socket.addEventListener('close', () => {
      if (closed) return;
      handlers.state('lost', false);
      timer = setTimeout(connect, Math.min(5000, 300 * 2 ** attempt++));
    });
  };
  connect();

  return () => {
    closed = true;
    clearTimeout(timer);
    socket?.close();
  };
}
