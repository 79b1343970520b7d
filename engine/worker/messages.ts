/**
 * What the server and an engine process say to each other (Node IPC, 'advanced' serialisation).
 * Prompts travel as JSON text so that 64-bit integers and `5.0` survive. What an engine says comes in
 * lists, so that many little messages wake the server once.
 */
import type { Audience, JobEnd, NodeMeta } from '../graph/messages.ts';
import type { LogLevel } from '../log.ts';
import type { Device } from '../runtime/devices/device.ts';
import type { DirectoryType } from '../store/folders.ts';

export type { Audience, JobEnd, NodeMeta };

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
  /** Comes first: the node packs to load. */
  | { readonly type: 'packs'; readonly paths: readonly string[] }
  | { readonly type: 'run'; readonly job: EngineJob }
  | { readonly type: 'interrupt'; readonly jobId: string }
  | { readonly type: 'free'; readonly unloadModels: boolean; readonly freeMemory: boolean }
  | { readonly type: 'stop' };

/** What an engine says of itself when it is ready, and whenever it has done something. */
export interface EngineReport {
  readonly device: Device;
  /** Bytes of the memory that the device computes in; undefined where nobody says. */
  readonly memoryTotal: number | undefined;
  /** That memory is the device's own, not the machine's. */
  readonly ownMemory: boolean;
  /** What networks are computed in, for people. */
  readonly precision: string;
  /** Bytes that its models may take. */
  readonly memoryBudget: number;
  /** Bytes that they take. */
  readonly bytes: number;
  /** Those that are open. */
  readonly models: readonly {
    readonly name: string;
    readonly bytes: number;
    /** Bytes that each of its runs reads anew, for want of memory. */
    readonly streamed: number;
  }[];
}

export type FromEngine =
  /** This pack's code runs next. */
  | { readonly type: 'loading'; readonly path: string }
  | { readonly type: 'ready'; readonly report: EngineReport }
  /** Something of it has changed between jobs. */
  | { readonly type: 'report'; readonly report: EngineReport }
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
  /** A node is about to write: from here on the job has left traces. */
  | { readonly type: 'saving'; readonly jobId: string }
  /** A file that a node of this job shows; comes before the `executed` that names it. */
  | {
      readonly type: 'wrote';
      readonly jobId: string;
      readonly directory: DirectoryType;
      readonly subfolder: string;
      readonly name: string;
    }
  | {
      readonly type: 'done';
      readonly jobId: string;
      readonly end: JobEnd;
      /** The engine lost its device, and is to be renewed. */
      readonly isSpent?: boolean;
      /** Left out: as it was before. */
      readonly report?: EngineReport;
    }
  | { readonly type: 'log'; readonly level: LogLevel; readonly text: string };
