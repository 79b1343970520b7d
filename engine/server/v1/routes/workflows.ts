/** POST /v1/workflows/run: a workflow in any form becomes a job. */
import { Type } from 'typebox';
import { NoodleError } from '../../../errors.ts';
import { isFinished } from '../../../queue/store.ts';
import { parseJson } from '../../../workflow/lossless-json.ts';
import { setInput } from '../../../workflow/set-input.ts';
import { route } from '../route.ts';
import { answerRun, checkWebhook, objectIn, readPrompt, submission } from '../run-workflow.ts';
import { RunRequest, RunResult } from '../schemas.ts';

export const workflowRoutes = [
  route({
    method: 'post',
    path: '/v1/workflows/run',
    id: 'runWorkflow',
    tag: 'Workflows',
    summary: 'Run a workflow',
    description:
      'Takes what the editor saves, or a prompt in the API format, changes single inputs and puts ' +
      'it into the queue. With `wait` the answer comes when the job has finished (200), at the ' +
      'latest after that many seconds (202).',
    body: RunRequest,
    bodyExample: {
      workflow: {
        1: {
          class_type: 'EmptyImage',
          inputs: { width: 64, height: 64, batch_size: 1, color: 255 },
        },
        2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'colour' } },
      },
      inputs: { '1.color': 16711680 },
      wait: 30,
    },
    responses: {
      200: { description: 'The job has finished, one way or another.', schema: RunResult },
      202: { description: 'The job waits or runs.', schema: RunResult },
      409: { description: 'A job of this id waits or runs.' },
      503: { description: 'Too many webhooks wait.' },
    },
    run: async (call, api) => {
      const { body, raw } = call;
      checkWebhook(body, api);
      const { prompt, workflow, warnings, at } = await readPrompt(raw, api);
      for (const [target, value] of Object.entries(objectIn(raw.inputs))) {
        setInput(prompt, target, value, `inputs "${target}"`);
      }
      const answer = await api.submit(submission(raw, prompt, workflow), { owner: call.owner });
      return answerRun(answer, call, api, { warnings, at });
    },
  }),
  route({
    method: 'post',
    path: '/v1/jobs/{id}/retry',
    id: 'retryJob',
    tag: 'Jobs',
    summary: 'Run a finished job again',
    description: 'Its prompt and the outputs that were asked for become a new job.',
    params: Type.Object({ id: Type.String({ description: 'Id of the finished job.' }) }),
    responses: {
      202: { description: 'The new job.', schema: RunResult },
      404: { description: 'There is no such job.' },
      409: { description: 'The job has not finished.' },
    },
    run: async (call, api) => {
      const { id } = call.params;
      const job = api.queue.job(id);
      if (job === undefined) throw new NoodleError('JOB_UNKNOWN', { id });
      if (!isFinished(job)) throw new NoodleError('JOB_ACTIVE', { id });
      const again = {
        prompt: parseJson(job.prompt),
        extra_data: parseJson(job.extraData),
        partial_execution_targets: [...job.outputs],
      };
      const answer = await api.submit(again, { owner: call.owner });
      return answerRun(answer, { ...call, body: {} }, api, { warnings: [], at: undefined });
    },
  }),
];
