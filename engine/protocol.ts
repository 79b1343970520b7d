/**
 * Everything that travels over `/ws`: the JSON messages as one union and the binary frames with
 * their encoders and decoders. No Node imports: the web page uses this file as it is.
 */
import type { Json } from './workflow/lossless-json.ts';

/** `{ node id: ui }` of one node: lists by media key, e.g. `{ images: [{ filename, … }] }`. */
export type NodeUi = { readonly [key: string]: Json };

export interface QueueStatus {
  readonly exec_info: { readonly queue_remaining: number };
}

export type ProgressStateKind = 'pending' | 'running' | 'finished' | 'error';

/** One node of `progress_state`. */
export interface NodeProgress {
  readonly value: number;
  readonly max: number;
  readonly state: ProgressStateKind;
  readonly node_id: string;
  readonly prompt_id: string;
  readonly display_node_id: string;
  readonly parent_node_id: string | null;
  readonly real_node_id: string;
}

export interface ExecutionErrorData {
  readonly prompt_id: string;
  readonly node_id: string;
  /** Null for a node that is in no prompt any more; so it is below. */
  readonly node_type: string | null;
  readonly executed: readonly string[];
  /** Ends with a newline (ComfyUI appends its tips after it). */
  readonly exception_message: string;
  readonly exception_type: string;
  readonly traceback: readonly string[];
  readonly current_inputs: { readonly [name: string]: Json } | readonly [];
  readonly current_outputs: readonly string[];
  /** Milliseconds; absent from the error of a blocked node. */
  readonly timestamp?: number;
}

export interface LogEntry {
  /** ISO time. */
  readonly t: string;
  /** Text, with its line break. */
  readonly m: string;
}

export interface LogData {
  readonly entries: readonly LogEntry[];
  readonly size: { readonly cols: number; readonly rows: number } | null;
}

/** What the server can do; also the answer of GET /features. */
export interface FeatureFlags {
  readonly supports_preview_metadata: boolean;
  readonly max_upload_size: number;
  readonly [flag: string]: Json;
}

/** Payload of every JSON message, by type. Node packs may send types of their own. */
export interface MessageData {
  /** `sid` is in the first status of a socket only. */
  status: { readonly status: QueueStatus; readonly sid?: string };
  execution_start: { readonly prompt_id: string; readonly timestamp: number };
  execution_cached: {
    readonly nodes: readonly string[];
    readonly prompt_id: string;
    readonly timestamp: number;
  };
  /** The closing message has `node: null`; after a reconnect there is `node` alone. */
  executing: {
    readonly node: string | null;
    readonly display_node?: string;
    readonly prompt_id?: string;
  };
  progress: {
    readonly value: number;
    readonly max: number;
    readonly prompt_id: string;
    readonly node: string;
  };
  progress_state: {
    readonly prompt_id: string;
    readonly nodes: { readonly [nodeId: string]: NodeProgress };
  };
  executed: {
    readonly node: string;
    readonly display_node: string;
    readonly output: NodeUi | null;
    readonly prompt_id: string;
  };
  execution_success: { readonly prompt_id: string; readonly timestamp: number };
  execution_error: ExecutionErrorData;
  execution_interrupted: {
    readonly prompt_id: string;
    readonly node_id: string;
    readonly node_type: string | null;
    readonly executed: readonly string[];
    readonly timestamp: number;
  };
  feature_flags: FeatureFlags;
  logs: LogData;
  /** Node packs were reloaded: object_info is another one. */
  packs_changed: { readonly packs: readonly string[] };
}

export type MessageType = keyof MessageData;

/** One JSON message of the server. */
export type ServerMessage = {
  [T in MessageType]: { readonly type: T; readonly data: MessageData[T] };
}[MessageType];

/** The only message of a client that has a meaning, and only as its first. */
export interface ClientMessage {
  readonly type: 'feature_flags';
  readonly data: { readonly [flag: string]: unknown };
}

/** First word of a binary message. */
export const BINARY = { preview: 1, text: 3, previewWithMetadata: 4 } as const;

export type ImageType = 'image/jpeg' | 'image/png';

/** JSON part of a preview with metadata. */
export interface PreviewMetadata {
  readonly node_id: string;
  readonly prompt_id: string;
  readonly display_node_id: string;
  readonly parent_node_id: string | null;
  readonly real_node_id: string;
  readonly image_type: ImageType;
}

/** A decoded binary message. */
export type BinaryFrame =
  | { readonly type: 'preview'; readonly imageType: ImageType; readonly image: Uint8Array }
  | { readonly type: 'text'; readonly nodeId: string; readonly text: string }
  | {
      readonly type: 'previewWithMetadata';
      readonly metadata: PreviewMetadata;
      readonly image: Uint8Array;
    };

/** Bytes of a binary message; every integer is an unsigned 32-bit big-endian word. */
export function encodeFrame(frame: BinaryFrame): Uint8Array<ArrayBuffer> {
  switch (frame.type) {
    case 'preview':
      return joinWords([BINARY.preview, frame.imageType === 'image/png' ? 2 : 1], frame.image);
    case 'text': {
      const id = new TextEncoder().encode(frame.nodeId);
      const text = new TextEncoder().encode(frame.text);
      return joinWords([BINARY.text, id.length], id, text);
    }
    case 'previewWithMetadata': {
      const json = new TextEncoder().encode(JSON.stringify(frame.metadata));
      return joinWords([BINARY.previewWithMetadata, json.length], json, frame.image);
    }
  }
}

/**
 * Reads a binary message; undefined for kinds that are not known or frames that are too short, so
 * that a newer server does not break an older page. Picture bytes are a view of the message.
 */
export function decodeFrame(message: ArrayBuffer | Uint8Array): BinaryFrame | undefined {
  const bytes = message instanceof Uint8Array ? message : new Uint8Array(message);
  if (bytes.length < 8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const second = view.getUint32(4);
  switch (view.getUint32(0)) {
    case BINARY.preview:
      return {
        type: 'preview',
        imageType: second === 2 ? 'image/png' : 'image/jpeg',
        image: bytes.subarray(8),
      };
    case BINARY.text:
      if (8 + second > bytes.length) return undefined;
      return {
        type: 'text',
        nodeId: new TextDecoder().decode(bytes.subarray(8, 8 + second)),
        text: new TextDecoder().decode(bytes.subarray(8 + second)),
      };
    case BINARY.previewWithMetadata:
      if (8 + second > bytes.length) return undefined;
      return {
        type: 'previewWithMetadata',
        metadata: JSON.parse(
          new TextDecoder().decode(bytes.subarray(8, 8 + second)),
        ) as PreviewMetadata,
        image: bytes.subarray(8 + second),
      };
    default:
      return undefined;
  }
}

function joinWords(
  words: readonly [number, number],
  ...parts: readonly Uint8Array[]
): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 8);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, words[0]);
  view.setUint32(4, words[1]);
  let at = 8;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
