/** Numbers of waiting jobs, which say their order: lower runs first. */
import type { WaitingJob } from './waiting-line.ts';

/**
 * A number between two neighbours; undefined when there is none. At the end it stays below
 * `counter`, the number that the next submission gets, as long as the job before it does.
 */
export function numberBetween(
  before: number | undefined,
  after: number | undefined,
  counter: number,
): number | undefined {
  if (before === undefined) return after === undefined ? counter - 0.5 : after - 1;
  if (after === undefined && before >= counter) return before + 1;
  const between = (before + (after ?? counter)) / 2;
  return before < between && between < (after ?? counter) ? between : undefined;
}

/** These jobs in this order with whole numbers, so that whatever is submitted next runs after them. */
export const numberedBelow = (
  counter: number,
  jobs: readonly Pick<WaitingJob, 'id'>[],
): WaitingJob[] => jobs.map(({ id }, i) => ({ id, number: counter - jobs.length + i }));
