/** The entry of a thread that fills one file of prepared weights, once it is told which. */
import { parentPort } from 'node:worker_threads';
import { type PrepareTask, prepareFile } from '../weights/prepare.ts';

export interface PrepareJob {
  readonly target: string;
  readonly tasks: readonly PrepareTask[];
}

parentPort!.once('message', ({ target, tasks }: PrepareJob) => prepareFile(target, tasks));
