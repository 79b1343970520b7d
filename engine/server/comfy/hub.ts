/**
 * The websockets, by client id. Slow readers cost themselves, not the server: what can be dropped
 * (previews, progress) waits as the latest of its kind, and a socket that takes nothing is closed.
 */
import { stringifyJson } from '../../workflow/lossless-json.ts';
import { encodeFrame } from '../../protocol.ts';
import type { BinaryFrame, FeatureFlags } from '../../protocol.ts';

/** What the hub uses of a `ws` socket. */
export interface HubSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(data: string | Uint8Array, done: () => void): void;
  close(code?: number): void;
  terminate(): void;
  on(event: 'message', listener: (data: unknown, isBinary: boolean) => void): void;
  on(event: 'close' | 'error', listener: () => void): void;
}

export interface HubOptions {
  /** The answer to a client's feature flags. */
  readonly features: FeatureFlags;
  /** Waiting and running prompts. */
  readonly remaining: () => number;
  /** The node that runs for a client, for one that comes back in the middle. */
  readonly activeNode: (sid: string) => string | undefined;
  /** Bytes waiting for one socket from which on droppable messages are held back. */
  readonly softLimit?: number;
  /** Bytes waiting for one socket at which it is given up. */
  readonly hardLimit?: number;
}

/** A client id, or everybody. */
export type Recipient = { readonly sid: string } | 'all';

/** Messages of which only the latest matters. */
export type Droppable = 'progress' | 'progress_state' | 'preview';

/** Which sockets a binary frame is for, by their `supports_preview_metadata`. */
export type FlagFilter = 'flagged' | 'unflagged' | 'any';

export interface Hub {
  attach(socket: HubSocket, sid: string): void;
  /** A JSON message; `data` is JSON text. */
  send(to: Recipient, type: string, data: string, droppable?: Droppable): void;
  sendFrame(to: Recipient, frame: BinaryFrame, filter: FlagFilter): void;
  /** The queue's length, to everybody. */
  broadcastStatus(): void;
  /** Whether a client is connected. */
  has(sid: string): boolean;
}

interface Client {
  readonly socket: HubSocket;
  readonly sid: string;
  metadata: boolean;
  /** The next well-formed message may be the feature flags. */
  first: boolean;
  /** The latest of each kind that did not fit. */
  readonly held: Map<Droppable, string | Uint8Array>;
}

const OPEN = 1;
/** Going away: newer sockets of the same client took the places there are. */
const REPLACED = 4001;
/** Sockets of one client that are kept open. */
const MOST_OF_ONE = 16;

/** A hub without sockets. */
export function createHub(options: HubOptions): Hub {
  const { features, remaining, activeNode } = options;
  const { softLimit = 1024 * 1024, hardLimit = 64 * 1024 * 1024 } = options;
  /**
   * By client id, the newest last: that one is told. Older ones stay open, as in ComfyUI: two pages
   * that share an id and come back whenever they are closed would throw each other out for ever.
   */
  const clients = new Map<string, Client[]>();

  const transmit = (client: Client, data: string | Uint8Array): void => {
    client.socket.send(data, () => drain(client));
  };

  /** What was held back goes out as soon as the socket has taken most of what came before. */
  const drain = (client: Client): void => {
    if (client.held.size === 0 || client.socket.bufferedAmount > softLimit) return;
    const held = [...client.held.values()];
    client.held.clear();
    for (const data of held) transmit(client, data);
  };

  const deliver = (client: Client, data: string | Uint8Array, droppable?: Droppable): void => {
    const { socket, held } = client;
    if (socket.readyState !== OPEN) return;
    if (socket.bufferedAmount > hardLimit) {
      socket.terminate();
      forget(client);
    } else if (droppable !== undefined && socket.bufferedAmount > softLimit) {
      held.delete(droppable);
      held.set(droppable, data);
    } else {
      // Nothing may arrive after what came later: pictures go, the last state stays in its place.
      const state = held.get('progress_state');
      held.clear();
      if (state !== undefined && droppable !== 'progress_state') transmit(client, state);
      transmit(client, data);
    }
  };

  const forget = (client: Client): void => {
    const rest = clients.get(client.sid)?.filter((other) => other !== client) ?? [];
    if (rest.length === 0) clients.delete(client.sid);
    else clients.set(client.sid, rest);
  };

  const remember = (client: Client): void => {
    const before = clients.get(client.sid) ?? [];
    // What waits for an older one will not be missed, and must not stay in memory.
    for (const { held } of before) held.clear();
    const isStuck = ({ socket }: Client): boolean => socket.bufferedAmount > softLimit;
    const kept = before.filter((other) => !isStuck(other)).slice(1 - MOST_OF_ONE);
    for (const other of before) if (!kept.includes(other)) other.socket.close(REPLACED);
    clients.set(client.sid, [...kept, client]);
  };

  const recipients = (to: Recipient): Client[] => {
    const groups = to === 'all' ? [...clients.values()] : [clients.get(to.sid) ?? []];
    return groups.flatMap((group) => group.slice(-1));
  };

  const status = (): string => `{"exec_info": {"queue_remaining": ${remaining()}}}`;

  const receive = (client: Client, data: unknown, isBinary: boolean): void => {
    if (!client.first || isBinary) return;
    const message = parseObject(String(data));
    if (message === undefined) return;
    client.first = false;
    if (message.type !== 'feature_flags') return;
    const flags = message.data as Record<string, unknown> | null | undefined;
    client.metadata = flags?.supports_preview_metadata === true;
    deliver(client, stringifyJson({ type: 'feature_flags', data: features }));
  };

  return {
    attach: (socket, sid) => {
      const client: Client = { socket, sid, metadata: false, first: true, held: new Map() };
      remember(client);
      socket.on('message', (data, isBinary) => receive(client, data, isBinary));
      socket.on('close', () => forget(client));
      socket.on('error', () => forget(client));
      const sidText = JSON.stringify(sid);
      deliver(client, `{"type": "status", "data": {"status": ${status()}, "sid": ${sidText}}}`);
      const node = activeNode(sid);
      if (node !== undefined) {
        deliver(client, `{"type": "executing", "data": {"node": ${JSON.stringify(node)}}}`);
      }
    },
    send: (to, type, data, droppable) => {
      const text = `{"type": ${JSON.stringify(type)}, "data": ${data}}`;
      for (const client of recipients(to)) deliver(client, text, droppable);
    },
    sendFrame: (to, frame, filter) => {
      let bytes: Uint8Array | undefined;
      for (const client of recipients(to)) {
        if (filter !== 'any' && client.metadata !== (filter === 'flagged')) continue;
        bytes ??= encodeFrame(frame);
        deliver(client, bytes, isPreview(frame) ? 'preview' : undefined);
      }
    },
    broadcastStatus: () => {
      const text = `{"type": "status", "data": {"status": ${status()}}}`;
      for (const client of recipients('all')) deliver(client, text);
    },
    has: (sid) => clients.has(sid),
  };
}

/** Whether only the latest frame matters: pictures that nodes send as their result are PNG. */
function isPreview(frame: BinaryFrame): boolean {
  if (frame.type === 'text') return false;
  const type = frame.type === 'preview' ? frame.imageType : frame.metadata.image_type;
  return type !== 'image/png';
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
