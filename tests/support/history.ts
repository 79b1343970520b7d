/** What becomes of a run in the history, for tests that run prompts without a queue. */
import type { GraphMessage, JobEnd } from '../../engine/graph/messages.ts';
import { watchJob } from '../../engine/queue/running-job.ts';

/** JSON text of the outputs: those that messages told of, and those that only the end tells. */
export function historyOutputs(messages: readonly GraphMessage[], end: JobEnd): string {
  const running = watchJob({ id: 'test', prompt: '{}', extraData: '{}', outputs: [] }, 0);
  for (const message of messages) {
    if (message.type === 'event') running.observe({ ...message, jobId: 'test' });
  }
  return running.result(end).outputs;
}
