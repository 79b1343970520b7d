/** /v1/queue: what waits and runs, in which order, and whether at all. */
import { Type } from 'typebox';
import { NoodleError } from '../../../errors.ts';
import type { Api } from '../api.ts';
import { findJob, jobJson, withBase } from '../job-json.ts';
import { summaryOf } from '../job-summary.ts';
import { ok, route } from '../route.ts';
import { JobDetail, Queue, QueueChange } from '../schemas.ts';

const SHOWN = 50;

export const queueRoutes = [
  route({
    method: 'get',
    path: '/v1/queue',
    id: 'getQueue',
    tag: 'Queue',
    summary: 'What waits and runs',
    query: Type.Object({
      limit: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 500,
          default: SHOWN,
          description: 'Waiting jobs to list.',
        }),
      ),
    }),
    responses: { 200: { description: 'The queue.', schema: Queue } },
    run: ({ query, base }, api) => ok(queueJson(api, base, query.limit)),
  }),
  route({
    method: 'post',
    path: '/v1/queue/pause',
    id: 'pauseQueue',
    tag: 'Queue',
    summary: 'Start no more jobs',
    description: 'Running jobs go on. The pause outlasts a restart of the server.',
    responses: { 200: { description: 'The queue.', schema: Queue } },
    run: ({ base }, api) => {
      api.queue.pause();
      return ok(queueJson(api, base));
    },
  }),
  route({
    method: 'post',
    path: '/v1/queue/resume',
    id: 'resumeQueue',
    tag: 'Queue',
    summary: 'Start jobs again',
    responses: { 200: { description: 'The queue.', schema: Queue } },
    run: ({ base }, api) => {
      api.queue.resume();
      return ok(queueJson(api, base));
    },
  }),
  route({
    method: 'patch',
    path: '/v1/queue/{id}',
    id: 'moveJob',
    tag: 'Queue',
    summary: 'Give a waiting job another place',
    params: Type.Object({ id: Type.String({ description: 'Id of the waiting job.' }) }),
    body: QueueChange,
    bodyExample: { front: true },
    responses: {
      200: { description: 'The job in its new place.', schema: JobDetail },
      404: { description: 'There is no such job.' },
      409: { description: 'It does not wait.' },
    },
    run: ({ params: { id }, body, base }, { queue, events }) => {
      const { before, number } = body;
      for (const each of [id, ...(typeof before === 'string' ? [before] : [])]) {
        const job = queue.job(each);
        if (job === undefined) throw new NoodleError('JOB_UNKNOWN', { id: each });
        if (job.status !== 'pending') throw new NoodleError('NOT_WAITING', { id: each });
      }
      if (before === undefined) queue.move(id, number ?? queue.nextNumber(true));
      else queue.moveBefore(id, before ?? undefined);
      return ok(withBase(findJob(queue, events, id)!, base));
    },
  }),
];

function queueJson({ queue, events }: Api, base: string, limit = SHOWN): unknown {
  const running = queue.running();
  return {
    paused: queue.paused(),
    running_count: running.length,
    pending_count: queue.counts().pending,
    running: running.map((job) =>
      withBase(jobJson(job, { progress: events.progress(job.id), summary: summaryOf(job) }), base),
    ),
    pending: queue
      .next(limit)
      .map((job, position) => withBase(jobJson(job, { position, summary: summaryOf(job) }), base)),
  };
}
