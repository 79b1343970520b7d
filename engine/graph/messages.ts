/** What the executor says while a prompt runs, and what is left when it is done. */
import type { MessageData, MessageType } from '../protocol.ts';
import { stringifyJson } from '../workflow/lossless-json.ts';
import type { PictureFile, PreviewImage } from './definition.ts';

/** Who gets a websocket message: the prompt's client only, or that client, else everybody. */
export type Audience = 'client' | 'client-or-all';

/** Node identity as previews and history carry it. */
export interface NodeMeta {
  readonly node_id: string;
  readonly display_node: string;
  readonly parent_node: string | null;
  readonly real_node_id: string;
}

export type GraphMessage =
  /** A websocket message; `data` is JSON text. */
  | {
      readonly type: 'event';
      readonly event: string;
      readonly data: string;
      readonly to: Audience;
    }
  /** Progress text of a node. */
  | { readonly type: 'text'; readonly nodeId: string; readonly text: string }
  | {
      readonly type: 'preview';
      readonly node: NodeMeta;
      readonly image: PreviewImage | PictureFile;
      /** V3 previews go to clients with the metadata flag only. */
      readonly flaggedOnly: boolean;
      /** Where the legacy binary goes in the order: after the `progress` message that follows. */
      readonly legacyAfterProgress: boolean;
    };

/** A websocket message of the protocol, as the executor emits it. */
export function eventMessage<T extends MessageType>(
  event: T,
  data: MessageData[T],
  to: Audience,
): Extract<GraphMessage, { type: 'event' }> {
  return { type: 'event', event, data: stringifyJson(data), to };
}

/** How a prompt ended. What its nodes showed was told by their `executed` messages. */
export interface JobEnd {
  readonly status: 'success' | 'error';
  readonly completed: boolean;
  /** `[event, JSON text of its data]` in order, as history stores them. */
  readonly messages: readonly (readonly [string, string])[];
  /** JSON text: { node id: ui } of what belongs to the history and no message told. */
  readonly untold: string;
  /** JSON text: { node id: NodeMeta } of every node that showed something. */
  readonly meta: string;
}
