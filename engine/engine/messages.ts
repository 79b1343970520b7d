/**
 * What the server and an engine process say to each other (Node IPC, 'advanced' serialisation).
 * Prompts travel as JSON text so that 64-bit integers and `5.0` survive.
 */
import type { DirectoryType } from '../store/folders.ts';

/** A job as the engine needs it. */
export interface EngineJob {
  readonly id: string;
  /** JSON text of the validated prompt. */
  readonly prompt: string;
  /** JSON text of extra_data (with secrets; never stored). */
  readonly extraData: string;
  /** Validated output node ids. */
  readonly outputs: readonly string[];
  readonly clientId?: string;
}

export type ToEngine =
  | { readonly type: 'run'; readonly job: EngineJob }
  | { readonly type: 'interrupt'; readonly jobId: string }
  | { readonly type: 'free'; readonly unloadModels: boolean; readonly freeMemory: boolean }
  | { readonly type: 'stop' };

/** Who gets a websocket message: the prompt's client only, or that client, else everybody. */
export type Audience = 'client' | 'client-or-all';

/** Node identity as previews and history carry it. */
export interface NodeMeta {
  readonly node_id: string;
  readonly display_node: string;
  readonly parent_node: string | null;
  readonly real_node_id: string;
}

export interface JobResult {
  readonly status: 'success' | 'error';
  readonly completed: boolean;
  /** `[event, JSON text of its data]` in order, as history stores them. */
  readonly messages: readonly (readonly [string, string])[];
  /** JSON text: { node id: ui }. */
  readonly outputs: string;
  /** JSON text: { node id: NodeMeta }. */
  readonly meta: string;
}

export interface DeviceStats {
  readonly name: string;
  readonly type: string;
  readonly index: number | null;
  readonly vram_total: number;
  readonly vram_free: number;
  readonly torch_vram_total: number;
  readonly torch_vram_free: number;
}

export type FromEngine =
  | { readonly type: 'ready'; readonly devices: readonly DeviceStats[] }
  | {
      readonly type: 'event';
      readonly jobId: string;
      readonly event: string;
      readonly data: string;
      readonly to: Audience;
    }
  | {
      readonly type: 'text';
      readonly jobId: string;
      readonly nodeId: string;
      readonly text: string;
    }
  | {
      readonly type: 'preview';
      readonly jobId: string;
      readonly node: NodeMeta;
      readonly format: 'image/jpeg' | 'image/png';
      readonly image: Uint8Array;
      /** V3 previews go to clients with the metadata flag only. */
      readonly flaggedOnly: boolean;
      /** Where the legacy binary goes in the order: after the `progress` message that follows. */
      readonly legacyAfterProgress: boolean;
    }
  /** Files of this type were written: caches over that directory are stale. */
  | { readonly type: 'files'; readonly directory: DirectoryType }
  | { readonly type: 'done'; readonly jobId: string; readonly result: JobResult }
  | { readonly type: 'freed' }
  | { readonly type: 'log'; readonly level: string; readonly text: string };
