/**
 * The link to an engine in this process: for programs that bring their own process to spend, and to
 * test jobs without one. Native code holds up whoever shares it, so the server and the command line
 * take processes (process-link.ts).
 */
import type { Log } from '../log.ts';
import { createBatch } from './batch.ts';
import { createEngineHost } from './compose.ts';
import type { EngineSettings } from '../config.ts';
import type { StartEngine } from './link.ts';
import type { FromEngine, ToEngine } from './messages.ts';
import { createWorker } from './worker.ts';

/** Starts engines in this process; `packs` are the paths of the node packs that they load. */
export function localEngineStarter(
  settings: EngineSettings,
  packs: readonly string[],
  log: Log,
): StartEngine {
  return (events) => {
    let over = false;
    let currentJob: string | undefined;
    const early: ToEngine[] = [];
    // Code that runs here cannot be ended from outside: a killed engine is told to stop its job,
    // and whatever it still says is not heard.
    const end = (how: string): void => {
      if (over) return;
      batch.flush();
      over = true;
      setImmediate(() => events.exit(how));
    };
    const batch = createBatch<FromEngine>((messages) => {
      for (const message of messages) if (!over) events.message(message);
    });
    let take = (order: ToEngine): void => {
      if (order.type === 'stop') end('exit code 0');
      else early.push(order);
    };
    const send = (order: ToEngine): void => {
      if (order.type === 'run') currentJob = order.job.id;
      // As from another process: never within the call.
      setImmediate(() => {
        if (!over) take(order);
      });
    };
    createEngineHost(settings, { paths: packs, log, onLoading: async () => undefined }).then(
      (host) => {
        if (over) return;
        const stop = (): void => end('exit code 0');
        take = createWorker(host, { send: batch.put, flush: batch.flush, stop });
        batch.put({ type: 'ready', report: host.report() });
        early.splice(0).forEach(take);
      },
      (error: Error) => {
        log('ERROR', error.stack ?? error.message);
        end('exit code 1');
      },
    );
    return {
      pid: undefined,
      send,
      kill: () => {
        if (over) return;
        over = true;
        if (currentJob !== undefined) take({ type: 'interrupt', jobId: currentJob });
        setImmediate(() => events.exit('SIGKILL'));
      },
    };
  };
}
