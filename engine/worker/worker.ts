/** What an engine does with its orders, wherever it runs: one job at a time, the rest after it. */
import type { EngineHost } from './compose.ts';
import type { FromEngine, ToEngine } from './messages.ts';
import { runJob } from './run-job.ts';

export interface WorkerChannel {
  readonly send: (message: FromEngine) => void;
  /** Puts on its way what `send` may still hold. */
  readonly flush: () => void;
  /** Ends the engine. */
  readonly stop: () => void;
}

/** Takes orders for an engine that is ready; those that need it idle wait for the end of its job. */
export function createWorker(
  host: EngineHost,
  { send, flush, stop }: WorkerChannel,
): (order: ToEngine) => void {
  let current: { readonly id: string; readonly interrupt: AbortController } | undefined;
  /** What has to wait until the current job is done. */
  let afterJob: (() => Promise<void>)[] = [];

  const obey = async (order: ToEngine): Promise<void> => {
    switch (order.type) {
      case 'run': {
        const interrupt = new AbortController();
        current = { id: order.job.id, interrupt };
        const { signal } = interrupt;
        const end = await runJob(order.job, host, { send, flush, signal });
        current = undefined;
        const isSpent = host.runtime.lostDevice();
        send({ type: 'done', jobId: order.job.id, end, report: host.report(), isSpent });
        const waiting = afterJob;
        afterJob = [];
        for (const action of waiting) await action();
        return;
      }
      case 'free':
        if (order.unloadModels) await host.runtime.unloadAll();
        if (order.freeMemory) host.caches.clear();
        send({ type: 'report', report: host.report() });
        return;
      case 'stop':
        stop();
    }
  };
  return (order) => {
    if (order.type === 'interrupt') {
      if (current?.id === order.jobId) current.interrupt.abort();
    } else if (current === undefined) void obey(order);
    else afterJob.push(() => obey(order));
  };
}
