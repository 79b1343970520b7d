/** /v1/training/runs: what is trained, and what came of it. */
import { Type } from 'typebox';
import { runFiles } from '../../../training/job/run-files.ts';
import { samplesOf, savesOf } from '../../../training/runs/files.ts';
import { lastLosses, lossesAfter } from '../../../training/runs/losses.ts';
import { runsIn } from '../../../training/runs/runs.ts';
import { ProblemError } from '../problem.ts';
import { ok, route } from '../route.ts';
import { fileUrl, isoTime, runDetail, runJson, thumbnailUrl } from '../training-run-json.ts';
import {
  ConfigChange,
  JobCheck,
  JobSource,
  Losses,
  NewRun,
  RunDetail,
  RunGone,
  RunList,
  Samples,
  Saves,
} from '../training-schemas.ts';
import { type CheckedJob, checkSource } from '../training-source.ts';

const tag = 'Training';
const params = Type.Object({ name: Type.String({ description: 'Name of the run.' }) });
const NO_RUN = {
  403: { description: 'The name leads out of the folder.' },
  404: { description: 'There is no such run.' },
};
const detailed = { description: 'The run.', schema: RunDetail };
const settingsExample = {
  name: 'my-cat',
  settings: {
    checkpoint: 'v1-5-pruned-emaonly.safetensors',
    family: 'sd1',
    datasets: ['my-cat'],
    trigger_word: 'sks cat',
    steps: 1500,
    prompts: ['sks cat on a sofa'],
  },
};

export const trainingRoutes = [
  route({
    method: 'get',
    path: '/v1/training/runs',
    id: 'listTrainingRuns',
    tag,
    summary: 'List training runs, the newest first',
    responses: { 200: { description: 'The runs.', schema: RunList } },
    run: ({ base }, api) => {
      const runs = runsIn(api.folders);
      const list = runs.names().map((name) => runJson(name, runs, api, base));
      return ok({ runs: list.sort((a, b) => (a.created_at < b.created_at ? 1 : -1)) });
    },
  }),
  route({
    method: 'post',
    path: '/v1/training/runs',
    id: 'createTrainingRun',
    tag,
    summary: 'Make a training run',
    description:
      'Of the usual settings, or of a job file of ai-toolkit, whose folders and files are names: data sets below ' +
      'the input folder, models of the folders for models.',
    body: NewRun,
    bodyExample: settingsExample,
    responses: {
      201: detailed,
      409: { description: 'A run of that name is there.' },
    },
    run: async ({ body, base, owner }, api) => {
      const job = checkSource(body, api);
      const name = refuseWrong(job);
      const runs = runsIn(api.folders);
      runs.create(name, job.yaml);
      try {
        if (body.start === true) await api.runJobs.start(name, owner);
      } catch (error) {
        // Made and started, or neither.
        runs.remove(name);
        throw error;
      }
      const made = runDetail(name, runs, api, base);
      return { status: 201, headers: { Location: made.urls.self }, body: made };
    },
  }),
  route({
    method: 'post',
    path: '/v1/training/check',
    id: 'checkTrainingJob',
    tag,
    summary: 'Check a training job without making a run',
    body: JobSource,
    bodyExample: settingsExample,
    responses: { 200: { description: 'What is wrong with it.', schema: JobCheck } },
    run: ({ body }, api) => {
      const job = checkSource(body, api);
      return ok({ valid: job.errors.length === 0, ...job });
    },
  }),
  route({
    method: 'get',
    path: '/v1/training/runs/{name}',
    id: 'getTrainingRun',
    tag,
    summary: 'One training run',
    params,
    responses: { 200: detailed, ...NO_RUN },
    run: ({ params: { name }, base }, api) => ok(runDetail(name, runsIn(api.folders), api, base)),
  }),
  route({
    method: 'delete',
    path: '/v1/training/runs/{name}',
    id: 'deleteTrainingRun',
    tag,
    summary: 'Delete a training run with everything that it made',
    params,
    responses: {
      200: { description: 'It is gone.', schema: RunGone },
      ...NO_RUN,
      409: { description: 'It waits or runs.' },
    },
    run: ({ params: { name } }, api) => {
      const runs = runsIn(api.folders);
      runs.folder(name);
      api.runJobs.refuseActive(name);
      runs.remove(name);
      return ok({ name });
    },
  }),
  route({
    method: 'post',
    path: '/v1/training/runs/{name}/start',
    id: 'startTrainingRun',
    tag,
    summary: 'Start a training run, or go on with it',
    description: 'As a job of the queue. It goes on from the last state that was saved.',
    params,
    responses: {
      200: detailed,
      ...NO_RUN,
      409: { description: 'It waits or runs already.' },
    },
    run: async ({ params: { name }, base, owner }, api) => {
      await api.runJobs.start(name, owner);
      return ok(runDetail(name, runsIn(api.folders), api, base));
    },
  }),
  route({
    method: 'post',
    path: '/v1/training/runs/{name}/pause',
    id: 'pauseTrainingRun',
    tag,
    summary: 'Pause a training run',
    description: 'It ends its step and saves its state. One that waits leaves the queue at once.',
    params,
    responses: {
      200: detailed,
      202: { description: 'It ends its step.', schema: RunDetail },
      ...NO_RUN,
      409: { description: 'It neither waits nor runs.' },
    },
    run: ({ params: { name }, base }, api) => {
      const status = api.runJobs.pause(name) ? 200 : 202;
      return { status, body: runDetail(name, runsIn(api.folders), api, base) };
    },
  }),
  route({
    method: 'post',
    path: '/v1/training/runs/{name}/stop',
    id: 'stopTrainingRun',
    tag,
    summary: 'End a training run where it is',
    description: 'As pausing it, and it counts as done. It can be started again all the same.',
    params,
    responses: {
      200: detailed,
      202: { description: 'It ends its step.', schema: RunDetail },
      ...NO_RUN,
      409: { description: 'It has ended already, or never begun.' },
    },
    run: ({ params: { name }, base }, api) => {
      const status = api.runJobs.stop(name) ? 200 : 202;
      return { status, body: runDetail(name, runsIn(api.folders), api, base) };
    },
  }),
  route({
    method: 'get',
    path: '/v1/training/runs/{name}/config',
    id: 'getTrainingConfig',
    tag,
    summary: 'The job file of a training run',
    params,
    responses: { 200: { description: 'YAML.', mediaType: 'application/yaml' }, ...NO_RUN },
    run: ({ params: { name } }, api) => ({
      text: runsIn(api.folders).config(name),
      mediaType: 'application/yaml; charset=utf-8',
    }),
  }),
  route({
    method: 'put',
    path: '/v1/training/runs/{name}/config',
    id: 'changeTrainingConfig',
    tag,
    summary: 'Give a training run another job file',
    description: 'With more steps, say. It keeps its name; what it has learnt stays.',
    params,
    body: ConfigChange,
    bodyExample: { yaml: 'job: extension\nconfig:\n  name: my-cat\n  process: []\n' },
    responses: {
      200: detailed,
      ...NO_RUN,
      409: { description: 'It waits or runs.' },
    },
    run: ({ params: { name }, body, base }, api) => {
      const runs = runsIn(api.folders);
      runs.folder(name);
      api.runJobs.refuseActive(name);
      const job = checkSource({ name, yaml: body.yaml }, api);
      refuseWrong(job);
      runs.change(name, job.yaml);
      return ok(runDetail(name, runs, api, base));
    },
  }),
  route({
    method: 'get',
    path: '/v1/training/runs/{name}/losses',
    id: 'listTrainingLosses',
    tag,
    summary: 'Losses of a training run',
    params,
    query: Type.Object({
      after: Type.Optional(
        Type.Integer({ minimum: 0, default: 0, description: 'Only those of later steps.' }),
      ),
    }),
    responses: { 200: { description: 'The losses.', schema: Losses }, ...NO_RUN },
    run: ({ params: { name }, query: { after = 0 } }, { folders }) => {
      const folder = runsIn(folders).folder(name);
      const losses = lossesAfter(folder, after);
      return ok({ losses, last: (losses.at(-1) ?? lastLosses(folder, 1)[0])?.step ?? null });
    },
  }),
  route({
    method: 'get',
    path: '/v1/training/runs/{name}/samples',
    id: 'listTrainingSamples',
    tag,
    summary: 'Samples of a training run',
    params,
    responses: { 200: { description: 'The samples.', schema: Samples }, ...NO_RUN },
    run: ({ params: { name } }, { folders }) => {
      const samples = samplesOf(runsIn(folders).folder(name));
      return ok({
        samples: samples.map(({ filename, step, index, made }) => ({
          filename,
          step,
          index,
          made_at: isoTime(made),
          url: fileUrl(name, filename, runFiles.samples),
          thumbnail_url: thumbnailUrl(name, filename, made),
        })),
      });
    },
  }),
  route({
    method: 'get',
    path: '/v1/training/runs/{name}/saves',
    id: 'listTrainingSaves',
    tag,
    summary: 'Weights that a training run saved',
    params,
    responses: { 200: { description: 'The files.', schema: Saves }, ...NO_RUN },
    run: ({ params: { name } }, { folders }) => {
      const saves = savesOf(runsIn(folders).folder(name), name);
      return ok({
        saves: saves.map(({ filename, step, bytes, modified }) => ({
          filename,
          step,
          bytes,
          modified_at: isoTime(modified),
          url: fileUrl(name, filename),
        })),
      });
    },
  }),
];

/** The name of a job that could be trained; throws a problem with everything that is wrong. */
function refuseWrong({ name, errors }: CheckedJob): string {
  if (name !== null && errors.length === 0) return name;
  const detail = errors.map((error) => error.detail).join('; ');
  throw new ProblemError({ status: 400, code: 'validation_failed', detail, errors });
}
