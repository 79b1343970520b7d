/** The pictures that a run makes of its prompts on the way. */
import { randomInt } from 'node:crypto';
import { zeros } from '../../array/nd.ts';
import { type PictureOptions, pictureEncoders } from '../../media/encode-picture.ts';
import { toPixels } from '../../media/to-array.ts';
import type { ConditioningEntry } from '../../sampling/conditioning.ts';
import { sampleLatent } from '../../sampling/driver.ts';
import { diffusion } from '../../values/model.ts';
import { decode } from '../../values/vae.ts';
import type { RunFolder } from '../job/run-folder.ts';
import type { Sample, SampleSettings } from '../job/sections/sample.ts';
import { guidesItself } from './guided.ts';
import type { TrainingHost } from './host.ts';
import type { Subject } from './subject.ts';

/** Makes all samples of a section with the network as it is after `step` steps. It ends between them when the host's signal asks for it. */
export async function makeSamples(
  { model, vae, textOf }: Subject,
  trained: (strength: number) => Pick<Subject, 'model' | 'clip'>,
  { samples, sampler, format }: SampleSettings,
  step: number,
  { folder, host }: { readonly folder: RunFolder; readonly host: TrainingHost },
): Promise<void> {
  const { runtime, signal } = host;
  const isFlow = model.sampling.prediction === 'flow';
  const guided = guidesItself(model);
  for (const [index, sample] of samples.entries()) {
    if (signal.aborted) return;
    const { clip, ...now } = trained(sample.networkMultiplier);
    const network = diffusion(now.model, { runtime });
    const { channels, space } = network.latentFormat;
    const told = (entry: ConditioningEntry): ConditioningEntry[] => [
      guided ? { ...entry, extra: { ...entry.extra, guidance: sample.guidanceScale } } : entry,
    ];
    const latent = await sampleLatent({
      model: network,
      positive: told(await textOf(sample.prompt, clip)),
      negative: told(await textOf(sample.negative, clip)),
      cfg: guided ? 1 : sample.guidanceScale,
      seed: sample.seed === 'random' ? randomInt(2 ** 32) : sample.seed,
      steps: sample.sampleSteps,
      sampler: isFlow ? 'euler' : sampler,
      scheduler: isFlow ? 'simple' : 'normal',
      latent: zeros([1, channels, ...cells(sample, space)]),
    });
    const picture = await decode(vae, latent, { runtime });
    const bytes = await pictureEncoders[format](toPixels(picture, 0), options);
    folder.writeSample({ step, index, count: samples.length, format }, bytes);
  }
}

const options: PictureOptions = { quality: 95, lossless: false, text: [] };

/** Height and width in cells of the latent. */
const cells = ({ width, height }: Sample, space: number): number[] =>
  [height, width].map((side) => Math.max(1, Math.floor(side / space)));
