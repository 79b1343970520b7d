/** What a run needs of the program it is in. */
import type { Log } from '../../log.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Folders } from '../../store/folders.ts';
import type { Links } from '../../store/paths.ts';

export interface TrainingHost {
  readonly runtime: Runtime;
  readonly folders: Folders;
  /** Asks the run to end: it finishes its step, saves, and throws INTERRUPTED. */
  readonly signal: AbortSignal;
  /** Where links among pictures may lead. */
  readonly links: Links;
  /** A line for whoever follows the run. */
  readonly log: (line: string) => void;
  readonly note?: Log;
  /** Hears of every step. */
  readonly progress?: (step: number, steps: number) => void;
}
