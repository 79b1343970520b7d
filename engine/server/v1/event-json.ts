/** The story of the server as the public API tells it. */
import type { StoryEvent } from '../events.ts';
import { jobJson, jobOutputs, progressJson, withBase } from './job-json.ts';
import type { Job } from './schemas.ts';

/** The data of an event; addresses in it begin with `base`. */
export function eventJson(event: StoryEvent, base: string): object {
  switch (event.type) {
    case 'queue':
      return event.state;
    case 'started':
      return { id: event.job };
    case 'progress':
      return { id: event.job, ...progressJson(event.progress) };
    case 'executed': {
      const { job: id, node, output } = event;
      return withBase({ id, node_id: node, outputs: jobOutputs({ [node]: output }) }, base);
    }
    case 'finished':
      return leftJson({ id: event.job, job: event.record }, base);
  }
}

/** A job that has left; one that was cancelled while it waited is gone and leaves only this. */
export function leftJson(
  { id, job }: { id: string; job: Parameters<typeof jobJson>[0] | undefined },
  base: string,
): Job | { readonly id: string; readonly status: 'cancelled' } {
  return job === undefined ? { id, status: 'cancelled' } : withBase(jobJson(job), base);
}
