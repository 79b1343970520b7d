/** The entry of a thread that computes weights into a file, and says how many bytes are done. */
import { closeSync, openSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { encoded } from '../weights/recipe.ts';
import type { Recipe } from '../weights/source.ts';
import { writeFully } from '../weights/write-bytes.ts';

export interface ComputeJob {
  readonly path: string;
  readonly tasks: readonly {
    readonly recipe: Recipe;
    readonly dtype: string;
    readonly offset: number;
  }[];
}

const { path, tasks } = workerData as ComputeJob;
const file = openSync(path, 'r+');
try {
  for (const { recipe, dtype, offset } of tasks) {
    const bytes = encoded(recipe, dtype);
    writeFully(file, bytes, offset);
    parentPort?.postMessage(bytes.length);
  }
} finally {
  closeSync(file);
}
