/** GET and POST /history. */
import { once } from 'node:events';
import { Router } from 'express';
import type { Response } from 'express';
import type { Queue } from '../../queue/queue.ts';
import type { History } from '../../queue/store.ts';
import { bodyFields, idList, queryInteger, sendEmpty, sendJsonText } from '../answer.ts';
import { historyMember } from './queue-text.ts';

/** Entries that are read and written at once: the answer may be as long as the history. */
const CHUNK = 50;

/** Routes of spec §1.1 about the history. */
export function historyRoutes({ history }: Pick<Queue, 'history'>): Router {
  const router = Router();

  router.get('/history', async (req, res) => {
    const maxItems = queryInteger(req, 'max_items');
    const offset = queryInteger(req, 'offset') ?? -1;
    const { start, count } = historyWindow(history.count(), maxItems, offset);
    await streamHistory(res, history, start, count);
  });

  router.get('/history/:id', (req, res) => {
    const job = history.get(req.params.id);
    sendJsonText(res, job === undefined ? '{}' : `{${historyMember(job)}}`);
  });

  router.post('/history', (req, res) => {
    const { clear, delete: ids } = bodyFields(req);
    if (clear === true) history.delete('all');
    history.delete(idList(ids));
    sendEmpty(res);
  });

  return router;
}

/**
 * ComfyUI's paging: without an offset the newest `maxItems`, with one that many after the `offset`
 * oldest. It counts after taking, so that a window with an offset never holds fewer than one.
 */
export function historyWindow(
  total: number,
  maxItems: number | undefined,
  offset: number,
): { start: number; count: number } {
  if (maxItems === undefined) return { start: Math.max(0, offset), count: total };
  const start = Math.max(0, offset < 0 ? total - maxItems : offset);
  return { start, count: Math.max(1, maxItems) };
}

/** Resolves when the reader has taken what was written, or will take no more. */
async function drained(res: Response): Promise<'drained' | 'gone'> {
  if (res.destroyed) return 'gone';
  const settled = new AbortController();
  const heard = (event: string): Promise<unknown> => once(res, event, settled);
  // Whichever comes first, the other is listened for no longer.
  await Promise.race([heard('drain'), heard('close')]).finally(() => settled.abort());
  return res.destroyed ? 'gone' : 'drained';
}

/** Writes the entries in parts; between them the process serves others. */
async function streamHistory(
  res: Response,
  history: History,
  start: number,
  count: number,
): Promise<void> {
  let text = '{';
  for (let done = 0; done < count; done += CHUNK) {
    const jobs = history.page(start + done, Math.min(CHUNK, count - done));
    if (jobs.length > 0) text += (done === 0 ? '' : ', ') + jobs.map(historyMember).join(', ');
    if (jobs.length < CHUNK) break;
    if (!res.headersSent) res.set('Content-Type', 'application/json; charset=utf-8');
    const room = res.write(text);
    text = '';
    if (!room && (await drained(res)) === 'gone') return;
  }
  if (res.headersSent) res.end(`${text}}`);
  else sendJsonText(res, `${text}}`);
}
