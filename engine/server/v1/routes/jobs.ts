/** /v1/jobs: everything that waits, runs or has run. */
import { Type } from 'typebox';
import { NoodleError } from '../../../errors.ts';
import { JOB_STATUSES } from '../../../queue/store.ts';
import { parseJson } from '../../../workflow/lossless-json.ts';
import { findJob, jobJson, withBase } from '../job-json.ts';
import { summaryOf } from '../job-summary.ts';
import { ok, route } from '../route.ts';
import { pageQuery } from '../schema-parts.ts';
import { Cancelled, JobDetail, JobPage, JobStatus } from '../schemas.ts';

const params = Type.Object({ id: Type.String({ description: 'Id of the job.' }) });
const NO_JOB = { description: 'There is no such job.' };

export const jobRoutes = [
  route({
    method: 'get',
    path: '/v1/jobs',
    id: 'listJobs',
    tag: 'Jobs',
    summary: 'List jobs, the newest first',
    query: Type.Object({
      status: Type.Optional(
        Type.Array(JobStatus, {
          description: 'Only jobs in one of these states.',
          maxItems: JOB_STATUSES.length,
        }),
      ),
      workflow_id: Type.Optional(Type.String({ description: 'Only jobs of this workflow.' })),
      sort: Type.Optional(
        Type.Unsafe<'created' | 'duration'>({
          type: 'string',
          enum: ['created', 'duration'],
          default: 'created',
          description: 'By submission time, or by how long they ran.',
        }),
      ),
      order: Type.Optional(
        Type.Unsafe<'asc' | 'desc'>({ type: 'string', enum: ['asc', 'desc'], default: 'desc' }),
      ),
      ...pageQuery(50, 200),
    }),
    responses: { 200: { description: 'A page of jobs.', schema: JobPage } },
    run: ({ query, base }, { queue, events }) => {
      const { status, workflow_id: workflowId, sort, order, limit = 50, offset = 0 } = query;
      const { jobs, total } = queue.list({
        statuses: status?.length ? status : undefined,
        workflowId,
        limit,
        offset,
        sortBy: sort === 'duration' ? 'execution_duration' : 'created_at',
        descending: order !== 'asc',
      });
      const next = new URLSearchParams({
        ...(status?.length ? { status: status.join(',') } : {}),
        ...(workflowId === undefined ? {} : { workflow_id: workflowId }),
        ...(sort === undefined ? {} : { sort }),
        ...(order === undefined ? {} : { order }),
        limit: String(limit),
        offset: String(offset + limit),
      });
      return ok({
        jobs: jobs.map((job) =>
          withBase(
            jobJson(job, { progress: events.progress(job.id), summary: summaryOf(job) }),
            base,
          ),
        ),
        total,
        offset,
        limit,
        next: offset + jobs.length < total ? `${base}/v1/jobs?${next.toString()}` : null,
      });
    },
  }),
  route({
    method: 'get',
    path: '/v1/jobs/{id}',
    id: 'getJob',
    tag: 'Jobs',
    summary: 'One job with what it made',
    params,
    query: Type.Object({
      include: Type.Optional(
        Type.Unsafe<'prompt'>({
          type: 'string',
          enum: ['prompt'],
          description: 'Add the prompt and its extra_data.',
        }),
      ),
    }),
    responses: { 200: { description: 'The job.', schema: JobDetail }, 404: NO_JOB },
    run: ({ params: { id }, query, base }, { queue, events }) => {
      const job = findJob(queue, events, id);
      const stored = queue.job(id);
      if (job === undefined || stored === undefined) throw new NoodleError('JOB_UNKNOWN', { id });
      if (query.include !== 'prompt') return ok(withBase(job, base));
      return ok({
        ...withBase(job, base),
        prompt: parseJson(stored.prompt),
        extra_data: parseJson(stored.extraData),
      });
    },
  }),
  route({
    method: 'delete',
    path: '/v1/jobs/{id}',
    id: 'cancelJob',
    tag: 'Jobs',
    summary: 'Cancel a job',
    description: 'A waiting job is gone at once; a running one stops as soon as its node lets it.',
    params,
    responses: {
      200: { description: 'It waited and is gone.', schema: Cancelled },
      202: { description: 'It runs and was told to stop.', schema: Cancelled },
      404: NO_JOB,
      409: { description: 'It has finished already.' },
    },
    run: ({ params: { id } }, { queue, dispatcher }) => {
      if (queue.deletePending(id)) return ok({ id, status: 'cancelled' });
      if (dispatcher.interrupt(id)) return { status: 202, body: { id, status: 'cancelling' } };
      const job = queue.job(id);
      if (job === undefined) throw new NoodleError('JOB_UNKNOWN', { id });
      throw new NoodleError('JOB_FINISHED', { id, status: job.status });
    },
  }),
  route({
    method: 'post',
    path: '/v1/jobs/{id}/restore',
    id: 'restoreJob',
    tag: 'Jobs',
    summary: 'Bring back a job that was cancelled while it waited',
    description: 'To its place in the queue. The latest ones are kept until the server ends.',
    params,
    responses: { 200: { description: 'It waits again.', schema: JobDetail }, 404: NO_JOB },
    run: ({ params: { id }, base }, { queue, events }) => {
      queue.restore(id);
      const job = findJob(queue, events, id);
      if (job === undefined) throw new NoodleError('JOB_UNKNOWN', { id });
      return ok(withBase(job, base));
    },
  }),
];
