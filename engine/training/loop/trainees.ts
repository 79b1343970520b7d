/** What a job trains: which modules of its text encoders and its diffusion model, and how their adapters begin. */
import { NoodleError } from '../../errors.ts';
import type { TorchGenerator } from '../../sampling/noise/torch-generator.ts';
import type { Clip } from '../../values/clip.ts';
import type { Model } from '../../values/model.ts';
import type { TextEncoder } from '../../values/text-encoder.ts';
import type { WeightSource } from '../../weights/source.ts';
import type { TrainingJob } from '../job/job.ts';
import { trainedEncoderModules, trainedModules } from '../modules/choose.ts';
import type { TrainedModule } from '../modules/module.ts';
import { jobAdapters } from '../networks/job-start.ts';
import { type Trainees, together } from '../networks/trainees.ts';
import { isTrainable } from '../text-encoding.ts';

interface Chosen {
  readonly encoder?: string;
  readonly source: WeightSource;
  readonly modules: readonly TrainedModule[];
}

/**
 * The job's adapters from the draws of a generator, in the order of their modules. Throws BAD_INPUT where the job leaves
 * nothing to train, UNSUPPORTED where text encoders are to be trained and none can be.
 */
export function jobTrainees(
  job: TrainingJob,
  { model, clip }: { readonly model: Model; readonly clip: Clip },
  log: (line: string) => void,
): (generator: TorchGenerator) => Trainees {
  const { network: said, train } = job;
  const choice = {
    ...said.networkKwargs,
    conv: said.conv !== undefined,
    transformerOnly: said.transformerOnly,
    allLayers: said.allLayers,
  };
  const chosen: Chosen[] = encodersOf(job, clip, log).map(({ spec, source }) => {
    const encoder = { name: spec.name, alone: clip.encoders.length === 1 };
    return { encoder: spec.name, source, modules: trainedEncoderModules(source, encoder, choice) };
  });
  if (train.trainUnet) {
    const { source, family } = model;
    chosen.push({ source, modules: trainedModules(source, family, choice) });
  }
  const count = chosen.reduce((sum, { modules }) => sum + modules.length, 0);
  if (count === 0) {
    const expected = 'at least one module of the model to be trained';
    throw new NoodleError('BAD_INPUT', { subject: 'network', expected, got: 'none' });
  }
  log(`${count} modules are trained`);
  return (generator) =>
    together(
      chosen.map(({ modules, ...network }) => ({
        ...network,
        adapters: jobAdapters(modules, said, generator),
      })),
    );
}

/** The text encoders that the job trains. */
function encodersOf(
  { train, model }: TrainingJob,
  { encoders }: Clip,
  log: (line: string) => void,
): readonly TextEncoder[] {
  if (!train.trainTextEncoder) return [];
  const wanted = [model.useTextEncoder1, model.useTextEncoder2];
  const asked = encoders.filter((_, i) => wanted[i] ?? true);
  const trained = asked.filter(isTrainable);
  const titles = ({ kind, spec }: TextEncoder): string => kind.titles[spec.name] ?? spec.name;
  if (asked.length > 0 && trained.length === 0) {
    const what = `train.train_text_encoder: training of ${asked.map(titles).join(' and ')}`;
    throw new NoodleError('UNSUPPORTED', { what });
  }
  for (const encoder of asked) {
    if (!isTrainable(encoder)) log(`${titles(encoder)} stays as it is: it cannot be trained here`);
  }
  return trained;
}
