/** GET and POST /queue, /interrupt and /free: what waits and runs, and how to stop it. */
import { Router } from 'express';
import type { Dispatcher } from '../../queue/dispatcher.ts';
import type { Queue } from '../../queue/queue.ts';
import { bodyFields, idList, sendEmpty, sendJsonText } from '../answer.ts';
import { queueItem } from './queue-text.ts';

/** Routes of spec §1.1 about the queue. */
export function queueRoutes({
  queue,
  dispatcher,
}: {
  queue: Queue;
  dispatcher: Dispatcher;
}): Router {
  const router = Router();

  router.get('/queue', (_req, res) => {
    const running = queue.running().map(queueItem).join(', ');
    const pending = queue.pending().map(queueItem).join(', ');
    sendJsonText(res, `{"queue_running": [${running}], "queue_pending": [${pending}]}`);
  });

  router.post('/queue', (req, res) => {
    const { clear, delete: ids } = bodyFields(req);
    if (clear === true) queue.clearPending();
    for (const id of idList(ids)) queue.deletePending(id);
    sendEmpty(res);
  });

  router.post('/interrupt', (req, res) => {
    // Any body will do, as in ComfyUI: what cannot be read names no prompt.
    const { prompt_id: id } = bodyFields(req, { lenient: true });
    if (typeof id === 'string' && id !== '') dispatcher.interrupt(id);
    else dispatcher.interrupt();
    sendEmpty(res);
  });

  router.post('/free', (req, res) => {
    const { unload_models: unloadModels, free_memory: freeMemory } = bodyFields(req);
    dispatcher.free({ unloadModels: unloadModels === true, freeMemory: freeMemory === true });
    sendEmpty(res);
  });

  return router;
}
