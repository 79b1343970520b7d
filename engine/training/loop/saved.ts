/** What a run publishes: its adapter under the names of its family's trainers, and what it goes on from. */
import type { NDArray } from '../../array/nd.ts';
import { readFloats } from '../../weights/read.ts';
import type { WeightSource } from '../../weights/source.ts';
import { dialects } from '../files/dialects.ts';
import { adapterMetadata } from '../files/metadata.ts';
import { savedTensors } from '../files/tensors.ts';
import { savedType, writeAdapter } from '../files/write.ts';
import type { TrainingJob } from '../job/job.ts';
import { trainedFamily } from '../modules/families.ts';
import { trainedParts } from '../networks/adapter.ts';
import { type Trainees, numbersIn } from '../networks/trainees.ts';
import type { Model } from '../../values/model.ts';

/** What of a run is saved. */
export interface Published {
  readonly job: TrainingJob;
  readonly model: Model;
  readonly trainees: Trainees;
}

/** The tensors of a file, as views of `values` where the names of its dialect allow. */
function tensorsOf({ job, model, trainees }: Published, values: Float32Array) {
  const { saved } = trainedFamily(model.family.name);
  const dialect = job.network.oldLokrFormat ? 'lycoris' : saved.yaml;
  const parts = trainees.list.flatMap((trainee) =>
    trainedParts(trainee.adapters, trainee.network, numbersIn(values, trainee)),
  );
  return savedTensors(parts, dialects[dialect]);
}

/** Writes an adapter file. It says nothing of the time: the same run makes the same bytes. */
export function publish(
  published: Published,
  values: Float32Array,
  { path, step, epoch }: { readonly path: string; readonly step: number; readonly epoch: number },
): void {
  const { job, model } = published;
  const { rank, alpha, type } = job.network;
  const metadata = adapterMetadata({
    model,
    trainer: 'yaml',
    name: job.name,
    step,
    epoch,
    network: { module: type === 'lokr' ? 'lycoris.kohya' : 'networks.lora', dim: rank, alpha },
    ...(job.trigger !== undefined && { trigger: job.trigger }),
    meta: job.meta,
  });
  writeAdapter(
    path,
    tensorsOf(published, values),
    metadata,
    savedType(job.save.dtype, 'save.dtype'),
  );
}

/** Takes the numbers of a saved adapter over; answers with how many tensors were found, of how many. */
export async function adopt(
  published: Published,
  values: Float32Array,
  { tensors }: WeightSource,
): Promise<readonly [found: number, all: number]> {
  const own = [...tensorsOf(published, values)].filter(([name]) => !name.endsWith('.alpha'));
  let found = 0;
  for (const [name, { data }] of own) {
    const entry = tensors.get(name);
    const numbers = entry && (await readFloats(entry));
    if (!numbers || numbers.length !== data.length || !isView({ data, shape: [] }, values))
      continue;
    data.set(numbers);
    found++;
  }
  return [found, own.length];
}

const isView = ({ data }: NDArray, of: Float32Array): boolean => data.buffer === of.buffer;
