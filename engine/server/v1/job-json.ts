/** Jobs as the public API shows them. Addresses are paths until `withBase` completes them. */
import type { Queue } from '../../queue/queue.ts';
import { type FinishedRecord, type JobRecord, isFinished } from '../../queue/store.ts';
import type { JobSummary } from './job-summary.ts';
import { contentType } from '../../store/content-type.ts';
import { type Json, parseJson } from '../../workflow/lossless-json.ts';
import { isObject, outputItems } from '../job-view.ts';
import type { Events, Progress } from '../events.ts';
import type { JobError, Job as JobJson, Output, Progress as ProgressJson } from './schemas.ts';

/** One job; `progress` is that of a running one, `position` the place of a waiting one. */
export function jobJson(
  job: JobRecord | FinishedRecord,
  {
    progress,
    position,
    summary,
  }: { progress?: Progress; position?: number; summary?: JobSummary } = {},
): JobJson {
  const path = `/v1/jobs/${encodeURIComponent(job.id)}`;
  const finished = isFinished(job) ? job : undefined;
  return {
    id: job.id,
    status: job.status,
    number: job.number,
    position,
    created_at: isoTime(job.createdAt)!,
    started_at: isoTime(finished?.executionStart),
    finished_at: isoTime(finished?.executionEnd),
    client_id: job.clientId ?? null,
    workflow_id: job.workflowId ?? null,
    progress:
      job.status === 'in_progress' && progress !== undefined ? progressJson(progress) : null,
    outputs: finishedOutputs(job),
    summary,
    error: finished === undefined ? null : jobError(finished),
    urls: { self: path, events: `/v1/events?job=${encodeURIComponent(job.id)}` },
  };
}

/** A job of the queue or the history by its id. */
export function findJob(queue: Queue, events: Events, id: string): JobJson | undefined {
  const job = queue.job(id);
  return job && jobJson(job, { progress: events.progress(id), position: queue.position(id) });
}

/** Progress under the names of the public API. */
export const progressJson = ({ node, value, max }: Progress): ProgressJson => ({
  node_id: node,
  value,
  max,
});

/** The same job with the addresses of a server before its paths. */
export function withBase<T extends object>(value: T, base: string): T {
  const { urls, outputs }: Partial<Pick<JobJson, 'urls' | 'outputs'>> = value;
  return {
    ...value,
    ...(urls === undefined ? {} : { urls: { self: base + urls.self, events: base + urls.events } }),
    ...(outputs === undefined
      ? {}
      : {
          outputs: outputs.map((output) =>
            output.url === undefined ? output : { ...output, url: base + output.url },
          ),
        }),
  };
}

/** What a job has made; none before it has finished. */
export const finishedOutputs = (job: JobRecord | FinishedRecord): Output[] =>
  isFinished(job) ? jobOutputs(parseJson(job.outputsText)) : [];

/** The outputs of a history entry (`{node: {kind: [item, …]}}`) as one list. */
export function jobOutputs(outputs: Json): Output[] {
  return [...outputItems(outputs)].flatMap(({ nodeId, media, item }) =>
    item === null ? [] : [outputJson(nodeId, media, item)],
  );
}

const DIRECTORIES = ['output', 'input', 'temp'] as const;

function outputJson(nodeId: string, kind: string, item: Json): Output {
  if (typeof item === 'string') return { node_id: nodeId, kind, text: item };
  if (!isObject(item) || typeof item.filename !== 'string') {
    return { node_id: nodeId, kind, value: item };
  }
  const { filename } = item;
  const subfolder = typeof item.subfolder === 'string' ? item.subfolder : '';
  const directory = DIRECTORIES.find((name) => name === item.type) ?? 'output';
  const query = new URLSearchParams({ filename, subfolder, type: directory });
  return {
    node_id: nodeId,
    kind,
    filename,
    subfolder,
    directory,
    media_type: contentType(filename),
    url: `/view?${query.toString()}`,
  };
}

/** Why a job failed; null where it did not. */
export function jobError(job: FinishedRecord): JobError | null {
  if (job.status !== 'failed') return null;
  const { messages } = parseJson(job.statusText) as { messages: [string, Json][] };
  const data = messages.findLast(([event]) => event === 'execution_error')?.[1];
  if (data === undefined || !isObject(data)) return null;
  const textOf = (value: Json | undefined): string | null =>
    typeof value === 'string' ? value : null;
  return {
    type: textOf(data.exception_type) ?? 'Error',
    message: (textOf(data.exception_message) ?? '').trimEnd(),
    node_id: textOf(data.node_id),
    node_type: textOf(data.node_type),
  };
}

const isoTime = (milliseconds: number | undefined): string | null =>
  milliseconds === undefined ? null : new Date(milliseconds).toISOString();
