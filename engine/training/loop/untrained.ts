/** Settings that job files may have and no run follows yet: refused before anything is opened. */
import { NoodleError } from '../../errors.ts';
import type { TrainingJob } from '../job/job.ts';

/** Throws UNSUPPORTED naming the key of the first one. */
export function refuseUntrained({ network, train, model, sample, firstSample }: TrainingJob): void {
  const { networkKwargs } = network;
  const samples = [...sample.samples, ...(firstSample?.samples ?? [])];
  const asked: Readonly<Record<string, boolean>> = {
    'network.dropout': network.dropout > 0,
    'network.network_kwargs.rank_dropout': networkKwargs.rankDropout > 0,
    'network.network_kwargs.module_dropout': networkKwargs.moduleDropout > 0,
    'train.img_multiplier other than 1': train.imgMultiplier !== 1,
    'model.extras_name_or_path': model.extrasNameOrPath !== undefined,
    'sample.guidance_rescale': samples.some((one) => one.guidanceRescale !== 0),
  };
  const key = Object.keys(asked).find((name) => asked[name]);
  if (key === undefined) return;
  throw new NoodleError('UNSUPPORTED', { what: `no run follows ${key} yet` });
}
