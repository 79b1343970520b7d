/** Films on wires. */

export interface Video {
  /** Path of the file; nothing of it is decoded yet. */
  readonly file: string;
}
