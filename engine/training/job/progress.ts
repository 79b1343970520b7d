/** How far a run is, for whoever looks at its folder: `progress.json`. */
import { writeFileAtomic } from '../../store/write.ts';

export interface Progress {
  readonly state: 'running' | 'paused' | 'stopped' | 'finished' | 'failed';
  /** Steps done, of so many. */
  readonly step: number;
  readonly steps: number;
  readonly error?: string;
  /** Milliseconds since 1970. */
  readonly updated: number;
}

/** Writes how far the run is, in place of what was there. */
export const writeProgress = (file: string, progress: Progress): void =>
  writeFileAtomic(file, `${JSON.stringify(progress)}\n`);
