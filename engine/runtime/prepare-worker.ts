/** The entry of a thread that fills one file of prepared weights. */
import { workerData } from 'node:worker_threads';
import { type PrepareTask, prepareFile } from '../weights/prepare.ts';

export interface PrepareJob {
  readonly target: string;
  readonly tasks: readonly PrepareTask[];
}

const { target, tasks } = workerData as PrepareJob;
prepareFile(target, tasks);
