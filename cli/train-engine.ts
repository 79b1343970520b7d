/** Trains jobs in an engine of this process: nothing is queued, and Ctrl-C is heard between steps. */
import { parseConfig } from '../engine/config.ts';
import type { Services } from '../engine/values/services.ts';
import { createEngineHost } from '../engine/worker/compose.ts';
import { machineInventory, planEngines } from '../engine/worker/engines.ts';
import { safeText } from './print.ts';
import { createReport } from './report.ts';
import type { RunJob } from './train.ts';

/**
 * Runs jobs on the first device that the flags of `noodle serve` name; the engine is made with the first job. What a
 * run says goes to standard output, how far it is to standard error.
 */
export function trainHere(flags: readonly string[]): RunJob {
  let engine: Promise<Services> | undefined;
  return async (job, signal) => {
    engine ??= openEngine(flags);
    const [{ runtime, folders, log: note }, { train }] = await Promise.all([
      engine,
      import('../engine/training/train.ts'),
    ]);
    const report = createReport({
      style: 'lines',
      title: () => job.name,
      nodeCount: 1,
      stream: process.stderr,
    });
    await train(job, {
      runtime,
      folders,
      signal,
      note,
      // Whoever gives the command chose what lies in their folders.
      links: 'follow',
      log: (line) => console.log(safeText(line)),
      progress: (value, max) => report.event({ type: 'progress', nodeId: job.name, value, max }),
    });
  };
}

async function openEngine(flags: readonly string[]): Promise<Services> {
  const config = parseConfig(flags);
  const [settings] = await planEngines({ ...config, engines: 1 }, machineInventory);
  // Drivers look at it when they are loaded.
  Object.assign(process.env, settings.device?.environment);
  const host = await createEngineHost(settings, {
    paths: [],
    log: (level, text) => void (level !== 'DEBUG' && console.error(safeText(text))),
  });
  return host.services(() => undefined);
}
