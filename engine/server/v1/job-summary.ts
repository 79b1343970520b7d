/** What tells jobs from each other: read from their prompts once, for lists are asked for often. */
import { type Static, Type } from 'typebox';
import type { Job } from '../../queue/store.ts';
import { parseJson } from '../../workflow/lossless-json.ts';
import { promptSummary } from '../../workflow/prompt-summary.ts';
import { isObject } from '../job-view.ts';

export const JobSummary = Type.Object(
  {
    name: Type.Union([Type.String(), Type.Null()], {
      description: 'Name of the workflow, where the page that sent it said one.',
    }),
    text: Type.String({ description: 'Words of the prompt.' }),
    seed: Type.Union([Type.String(), Type.Null()], {
      description: 'The first seed, digit for digit.',
    }),
    nodes: Type.Integer({ minimum: 0, description: 'Nodes of the prompt.' }),
  },
  { title: 'JobSummary', description: 'What tells jobs from each other.' },
);
export type JobSummary = Static<typeof JobSummary>;

/** Summaries that are remembered. */
const MOST = 1000;
/** Characters of a name and of a prompt's words. */
const LONGEST_NAME = 200;
const LONGEST_TEXT = 500;

const known = new Map<string, JobSummary>();

/** The summary of a job; an id may come again with another prompt. */
export function summaryOf(job: Pick<Job, 'id' | 'createdAt' | 'prompt' | 'extraData'>): JobSummary {
  const key = `${job.createdAt} ${job.id}`;
  const last = known.get(key);
  if (last !== undefined) return last;
  const { text, seed, nodes } = promptSummary(parseJson(job.prompt));
  const summary = {
    name: nameOf(job.extraData),
    text: text.slice(0, LONGEST_TEXT),
    seed,
    nodes,
  };
  known.set(key, summary);
  if (known.size > MOST) known.delete(known.keys().next().value!);
  return summary;
}

/** The page sends the name beside the prompt, in `extra_data.workflow_name`. */
function nameOf(extraData: string): string | null {
  const data = parseJson(extraData);
  const name = isObject(data) ? data.workflow_name : undefined;
  return typeof name === 'string' && name !== '' ? name.slice(0, LONGEST_NAME) : null;
}
