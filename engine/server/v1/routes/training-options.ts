/** /v1/training/options: what a job can be made of. */
import { Type } from 'typebox';
import {
  NETWORKS,
  OPTIMIZERS,
  SCHEDULES,
  TRAINED_FAMILIES,
} from '../../../training/runs/settings.ts';
import { ok, route } from '../route.ts';
import { count, free, text } from '../schema-parts.ts';
import { DEFAULT_SETTINGS } from '../training-settings.ts';

const texts = (description: string) => Type.Array(Type.String(), { description });

const TrainingOptions = Type.Object(
  {
    checkpoints: texts('Files that can be trained.'),
    families: Type.Array(
      Type.Object({
        arch: text('Its name in job files.'),
        title: text('Its name for people.'),
        resolution: count('Pixels of a side that its models are at home with.'),
      }),
    ),
    networks: texts('Kinds of adapters.'),
    optimizers: texts('Optimisers.'),
    schedules: texts('Schedules of the learning rate.'),
    defaults: free('What settings are without being said.'),
  },
  { title: 'TrainingOptions' },
);

/** Folders of models that can be trained. */
const TRAINED = ['checkpoints', 'diffusion_models'];

export const trainingOptionRoutes = [
  route({
    method: 'get',
    path: '/v1/training/options',
    id: 'getTrainingOptions',
    tag: 'Training',
    summary: 'What a training job can be made of',
    responses: { 200: { description: 'The choices.', schema: TrainingOptions } },
    run: (_call, { folders }) =>
      ok({
        checkpoints: [...new Set(TRAINED.flatMap((folder) => folders.modelFiles(folder)))],
        families: TRAINED_FAMILIES.map(({ arch, title, resolution }) => ({
          arch,
          title,
          resolution,
        })),
        networks: NETWORKS,
        optimizers: OPTIMIZERS,
        schedules: SCHEDULES,
        defaults: DEFAULT_SETTINGS,
      }),
  }),
];
