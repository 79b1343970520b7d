/** The entry of the thread that decodes pictures for the server: one task after the other. */
import { readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { NoodleError } from '../errors.ts';
import { mergeMask } from './mask-upload.ts';
import type { PictureAnswer, PictureSource, PictureTask } from './picture-thread.ts';
import { viewTransform } from './view-transform.ts';

const port = parentPort!;

port.on('message', (task: PictureTask) => {
  void answer(task).then((message) => port.postMessage(message));
});

async function answer(task: PictureTask): Promise<PictureAnswer> {
  try {
    if (task.kind === 'view') return await viewTransform(bytesOf(task.picture), task.options);
    const bytes = await mergeMask(bytesOf(task.original), task.upload);
    return { bytes, mime: 'image/png' };
  } catch (error) {
    if (error instanceof NoodleError) return { code: error.code, details: error.details };
    return { error: error as Error };
  }
}

const bytesOf = (source: PictureSource): Uint8Array =>
  typeof source === 'string' ? readFileSync(source) : source;
