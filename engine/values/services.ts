/** What the engine lends to every running node (`context.services`). */
import type { Log } from '../log.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Folders } from '../store/folders.ts';
import type { Family } from '../arch/family.ts';

export interface Services {
  readonly runtime: Runtime;
  readonly folders: Folders;
  /** Known model families in detection order. */
  readonly families: readonly Family[];
  readonly options: EngineOptions;
  /** A line for the server's log. */
  readonly log?: Log;
}

/** Engine settings that come from the command line. */
export interface EngineOptions {
  /** 'none' unless a prompt asks otherwise. */
  readonly previewMethod: 'none' | 'auto' | 'latent2rgb' | 'taesd';
  readonly previewSize: number;
  /** --disable-metadata: no workflow in saved files. */
  readonly disableMetadata: boolean;
}
