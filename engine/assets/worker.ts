/** The entry of the assets' thread: takes requests, answers them in the order they are done. */
import { parentPort, workerData } from 'node:worker_threads';
import { NoodleError } from '../errors.ts';
import { type AssetSettings, openAssets } from './operations.ts';
import type { FromAssets, ToAssets } from './client.ts';

const port = parentPort!;
const send = (message: FromAssets): void => port.postMessage(message);

const operations = openAssets(workerData as AssetSettings, (type, data) =>
  send({ kind: 'event', type, data: JSON.stringify(data) }),
);

port.on('message', ({ id, operation, args }: ToAssets) => {
  void answer(id, operation, args);
});

async function answer(
  id: number,
  operation: ToAssets['operation'],
  args: unknown[],
): Promise<void> {
  try {
    // The client's types pair each operation with its arguments.
    const run = operations[operation] as (...values: unknown[]) => unknown;
    send({ kind: 'result', id, result: await run(...args) });
  } catch (error) {
    if (error instanceof NoodleError) {
      send({ kind: 'refusal', id, code: error.code, details: error.details });
    } else {
      send({ kind: 'failure', id, error: error as Error });
    }
  }
  if (operation === 'close') port.close();
}
