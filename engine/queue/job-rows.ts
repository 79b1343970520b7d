/** Rows of the `jobs` table as jobs. */
import { parseJson, stringifyJson } from '../workflow/lossless-json.ts';
import type { Row, SqlValue } from '../store/db.ts';
import type { FinishedJob, Job, JobResult, JobStatus } from './store.ts';

const text = (value: SqlValue): string => value as string;
const optionalText = (value: SqlValue): string | undefined =>
  value === null ? undefined : (value as string);
const optionalNumber = (value: SqlValue): number | undefined =>
  value === null ? undefined : Number(value);

/** What a row reads as, where there is one. */
export function readOptional<T>(row: Row | undefined, read: (row: Row) => T): T | undefined {
  return row === undefined ? undefined : read(row);
}

/** A job from its columns. */
export function readJob(row: Row): Job {
  return {
    id: text(row.id),
    status: text(row.status) as JobStatus,
    number: Number(row.number),
    numberText: text(row.number_text),
    attempt: Number(row.attempt),
    createdAt: Number(row.created_at),
    clientId: optionalText(row.client_id),
    workflowId: optionalText(row.workflow_id),
    owner: optionalText(row.owner),
    needsSecrets: row.needs_secrets === 1,
    outputs: JSON.parse(text(row.outputs_to_execute)) as string[],
    extraData: text(row.extra_data),
    prompt: text(row.prompt),
  };
}

/** A job of either kind. */
export const readAny = (row: Row): Job | FinishedJob =>
  row.finished === null ? readJob(row) : readFinished(row);

/** A job that has a result. */
export function readFinished(row: Row): FinishedJob {
  return {
    ...readJob(row),
    statusText: text(row.status_text),
    outputsText: text(row.outputs),
    metaText: text(row.meta),
    executionStart: optionalNumber(row.execution_start),
    executionEnd: optionalNumber(row.execution_end),
  };
}

/** A result's status as its history entry has it, JSON text. */
export function statusText({ status, completed, messages }: JobResult): string {
  const list = messages.map(([event, data]) => `[${stringifyJson(event)}, ${data}]`).join(', ');
  return `{"status_str": "${status}", "completed": ${completed}, "messages": [${list}]}`;
}

/** How a result leaves its job. */
export function finalStatus({ status, messages }: JobResult): JobStatus {
  if (status === 'success') return 'completed';
  return messages.some(([event]) => event === 'execution_interrupted') ? 'cancelled' : 'failed';
}

/** Timestamps of the first and the last message that has one. */
export function executionTimes({ messages }: JobResult): {
  begin: number | null;
  end: number | null;
} {
  const times = messages
    .filter(([event]) => event !== 'execution_cached')
    .map(([, data]) => parseJson(data))
    .map((data) => (data as { timestamp?: unknown }).timestamp)
    .filter((time) => typeof time === 'number');
  return times.length === 0 ? { begin: null, end: null } : { begin: times[0], end: times.at(-1)! };
}
