import { signal } from '@preact/signals';

/** The job that this page hears of while it runs. */
export interface LiveJob {
  readonly id: string;
  /** Milliseconds of the page's clock. */
  readonly startedAt: number;
  /** Steps of the node that runs, and when the first of them was done. */
  readonly steps: { value: number; max: number; first: number; firstAt: number } | null;
  /** Address of its newest preview. */
  readonly preview: string | null;
}

export const liveJob = signal<LiveJob | null>(null);

/** A job has begun. */
export function jobStarted(id: string): void {
  if (liveJob.value?.id !== id) {
    jobEnded();
    liveJob.value = { id, startedAt: performance.now(), steps: null, preview: null };
  }
}

/** The running node made a step. */
export function jobStepped(value: number, max: number): void {
  const job = liveJob.value;
  if (job === null) return;
  const { steps } = job;
  const goesOn = steps !== null && steps.max === max && value > steps.first;
  const { first, firstAt } = goesOn ? steps : { first: value, firstAt: performance.now() };
  liveJob.value = { ...job, steps: { value, max, first, firstAt } };
}

/** A picture of work in progress. */
export function jobShowed(image: Blob): void {
  const job = liveJob.value;
  if (job === null) return;
  if (job.preview !== null) URL.revokeObjectURL(job.preview);
  liveJob.value = { ...job, preview: URL.createObjectURL(image) };
}

/** No job runs any more. */
export function jobEnded(): void {
  const preview = liveJob.value?.preview ?? null;
  if (preview !== null) URL.revokeObjectURL(preview);
  liveJob.value = null;
}
