/** Settings that job files may have and no run follows yet: refused before anything is opened. */
import { NoodleError } from '../../errors.ts';
import type { TrainingJob } from '../job/job.ts';

/** Throws UNSUPPORTED naming the key of the first one. */
export function refuseUntrained({ network, train, datasets, model }: TrainingJob): void {
  const { networkKwargs } = network;
  const asked: Readonly<Record<string, boolean>> = {
    'network.dropout': network.dropout > 0,
    'network.network_kwargs.rank_dropout': networkKwargs.rankDropout > 0,
    'network.network_kwargs.module_dropout': networkKwargs.moduleDropout > 0,
    'train.train_text_encoder': train.trainTextEncoder,
    'train.train_unet: false': !train.trainUnet,
    'model.lora_path': model.loraPath !== undefined,
    'datasets[].network_weight other than 1': datasets.some((set) => set.networkWeight !== 1),
  };
  const key = Object.keys(asked).find((name) => asked[name]);
  if (key !== undefined) throw new NoodleError('UNSUPPORTED', { what: key });
}
