/** A run of the server's training as a node: what `/v1/training` puts into the queue. */
import { defineNode, string } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { TRAIN_NODE } from '../engine/training/runs/prompt.ts';

export const trainingRun = defineNode({
  name: TRAIN_NODE,
  displayName: 'Train (run of the server)',
  category: 'training',
  module: 'nodes',
  form: 'v1',
  description:
    'Goes on with a training run of this server: a folder with its job in output/training.',
  inputs: { run: string({ tooltip: 'The name of the run.' }) },
  outputs: [],
  outputNode: true,
  // a run that was paused is the same prompt again
  isChanged: () => NaN,
  run: async ({ run }, { services, signal, progress, sendText }) => {
    const { readJobs } = await import('../engine/training/job/read-job.ts');
    const { serverPlaces } = await import('../engine/training/runs/places.ts');
    const { runsIn } = await import('../engine/training/runs/runs.ts');
    const { train } = await import('../engine/training/train.ts');
    const { folders, runtime, log } = services;
    const place = serverPlaces(folders);
    const text = runsIn(folders).config(run);
    for (const job of readJobs('config.yaml', text, { environment: {}, place })) {
      await train(job, {
        runtime,
        folders,
        signal,
        links: 'refuse',
        log: sendText,
        note: log,
        progress: (step, steps) => void progress(step, steps),
      });
    }
    return [];
  },
});

export const trainingRunNodes: readonly NodeDefinition[] = [trainingRun];
