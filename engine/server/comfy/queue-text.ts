/** Queue items and history entries as JSON text, put together from the texts that are stored. */
import type { FinishedJob, Job } from '../../queue/store.ts';
import { stringifyJson } from '../../workflow/lossless-json.ts';

/** `[number, prompt_id, prompt, extra_data, outputs_to_execute]`. */
export function queueItem({ id, numberText, prompt, extraData, outputs }: Job): string {
  const rest = [stringifyJson(id), prompt, extraData, stringifyJson(outputs)];
  return `[${[numberText, ...rest].join(', ')}]`;
}

/** One member of GET /history: the id and its entry. */
export function historyMember(job: FinishedJob): string {
  const { outputsText, statusText, metaText } = job;
  return (
    `${stringifyJson(job.id)}: {"prompt": ${queueItem(job)}, "outputs": ${outputsText}, ` +
    `"status": ${statusText}, "meta": ${metaText}}`
  );
}
