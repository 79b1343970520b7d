/** What is written down of a step. */

/** A line of `losses.jsonl`. */
export interface LossLine {
  /** From 1. */
  readonly step: number;
  /** Null where it was no finite number. */
  readonly loss: number | null;
  /** Learning rate. */
  readonly rate: number;
  /** What the step took. */
  readonly seconds: number;
}

export interface Losses {
  /** Adds a step behind the others. */
  append(line: LossLine): void;
  close(): void;
}

/** Losses in a file. */
export interface LossFile extends Losses {
  /** Makes what was added outlast a failure of the power. */
  flush(): void;
}
