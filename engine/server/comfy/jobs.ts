/** /api/jobs*: queue and history as one list. */
import { Router } from 'express';
import type { Request } from 'express';
import { pythonStr } from '../../python/repr.ts';
import type { Dispatcher } from '../../queue/dispatcher.ts';
import type { Queue } from '../../queue/queue.ts';
import { JOB_STATUSES } from '../../queue/store.ts';
import type { JobFilter, JobStatus } from '../../queue/store.ts';
import { bodyJson, queryText, sendJson } from '../answer.ts';
import { jobDetail, jobSummary } from '../job-view.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

interface JobsOptions {
  readonly queue: Queue;
  readonly dispatcher: Dispatcher;
}

/** Routes of spec §1.8; they exist under /api only. */
export function jobRoutes({ queue, dispatcher }: JobsOptions): Router {
  const router = Router();

  const cancel = (id: string): boolean => queue.deletePending(id) || dispatcher.interrupt(id);

  router.get('/jobs', (req, res) => {
    const filter = jobFilter(req);
    if (typeof filter === 'string') return sendJson(res, { error: filter }, 400);
    const { jobs, total } = queue.list(filter);
    const { offset, limit = null } = filter;
    sendJson(res, {
      jobs: jobs.map(jobSummary),
      pagination: { offset, limit, total, has_more: offset + jobs.length < total },
    });
  });

  router.get('/jobs/:id', (req, res) => {
    const job = queue.job(req.params.id);
    if (job === undefined) sendJson(res, { error: 'Job not found' }, 404);
    else sendJson(res, jobDetail(job));
  });

  router.post('/jobs/cancel', (req, res) => {
    const ids = cancelIds(req);
    if (typeof ids === 'string') return sendJson(res, { error: ids }, 400);
    // Ids that clients chose themselves are valid as long as they name something.
    const invalid = ids.filter(
      (id) => typeof id !== 'string' || !(UUID.test(id) || queue.job(id) !== undefined),
    );
    if (invalid.length > 0) {
      const error = 'job_ids contains invalid id(s)';
      return sendJson(res, { error, invalid_ids: invalid.map(pythonStr) }, 400);
    }
    const cancelled = (ids as string[]).map(cancel);
    sendJson(res, { cancelled: cancelled.includes(true) });
  });

  router.post('/jobs/:id/cancel', (req, res) => {
    sendJson(res, { cancelled: cancel(req.params.id) });
  });

  return router;
}

/** What the query asks for, or the text of what is wrong with it. */
function jobFilter(req: Request): JobFilter | string {
  const sortBy = queryText(req, 'sort_by')?.toLowerCase() ?? 'created_at';
  const sortOrder = queryText(req, 'sort_order')?.toLowerCase() ?? 'desc';
  const limit = queryText(req, 'limit');
  const offset = queryText(req, 'offset');
  const asked = queryText(req, 'status')?.toLowerCase() ?? '';
  const statuses = list(asked);
  const wrong = statuses.filter((status) => !(JOB_STATUSES as readonly string[]).includes(status));
  if (wrong.length > 0) {
    const valid = JOB_STATUSES.join(', ');
    return `Invalid status value(s): ${wrong.join(', ')}. Valid values: ${valid}`;
  }
  if (sortBy !== 'created_at' && sortBy !== 'execution_duration') {
    return "sort_by must be 'created_at' or 'execution_duration'";
  }
  if (sortOrder !== 'asc' && sortOrder !== 'desc') return "sort_order must be 'asc' or 'desc'";
  if (limit !== undefined && !isInteger(limit)) return 'limit must be an integer';
  if (limit !== undefined && Number(limit) <= 0) return 'limit must be a positive integer';
  if (offset !== undefined && !isInteger(offset)) return 'offset must be an integer';
  return {
    statuses: asked === '' ? undefined : (statuses as JobStatus[]),
    workflowId: queryText(req, 'workflow_id'),
    sortBy,
    descending: sortOrder === 'desc',
    limit: limit === undefined ? undefined : Number(limit),
    offset: Math.max(0, Number(offset ?? 0)),
  };
}

function cancelIds(req: Request): readonly unknown[] | string {
  let body: unknown;
  try {
    body = bodyJson(req);
  } catch {
    return 'Request body must be valid JSON';
  }
  const ids = (body as { job_ids?: unknown } | null)?.job_ids;
  return Array.isArray(ids) ? ids : 'job_ids must be a list';
}

const isInteger = (text: string): boolean => /^\s*[+-]?\d{1,15}\s*$/.test(text);

const list = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
