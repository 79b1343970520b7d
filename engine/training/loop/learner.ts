/** A job's model in training with its text encoders: a step from captions and noisy pictures to gradients in both. */
import type { ConditioningEntry } from '../../sampling/conditioning.ts';
import type { ModelInput } from '../../sampling/model.ts';
import type { NetworkRun } from '../../values/network.ts';
import { type Judgement, type Told, denoisingTrainer } from '../denoising.ts';
import { type Trainees, numbersIn } from '../networks/trainees.ts';
import { trainedNetwork } from '../networks/trained.ts';
import { type TrainedText, rowOf, textInputs, textTrainer } from '../text-encoding.ts';
import { type Question, asker } from './ask.ts';
import type { Subject } from './subject.ts';

/** What is asked of the model, and of which captions. */
export interface Task extends Omit<Question, 'entries'> {
  readonly captions: readonly string[];
  /** What its answer is held against, once it is known what it is asked. */
  readonly told: (input: ModelInput) => Promise<Told> | Told;
}

export interface Learner {
  /** Forward and backward: adds to the gradient of all trained numbers, answers with the loss. */
  step(task: Task, gradient: Float32Array): Promise<number>;
}

export interface LearnerOptions {
  readonly judgement: Judgement;
  readonly recompute: boolean;
  /** What the adapters count. */
  readonly strength: number;
  /** What is told to the model beside the text. */
  readonly extra: ConditioningEntry['extra'];
}

/** Trains `trainees`, whose numbers are in `values`. */
export function learner(
  subject: Subject,
  { trainees, values }: { readonly trainees: Trainees; readonly values: Float32Array },
  { judgement, recompute, strength, extra }: LearnerOptions,
  run: NetworkRun,
): Learner {
  const { model, textOf, tokensOf } = subject;
  const own = trainees.list.find(({ encoder }) => encoder === undefined);
  const network = own?.network ?? trainedNetwork([]);
  const numbers = (all: Float32Array): Float32Array =>
    own ? numbersIn(all, own) : all.subarray(0, 0);
  const learnsText = trainees.ofEncoders > 0;
  const trainer = denoisingTrainer(
    model,
    run,
    { network, values: numbers(values) },
    { judgement, recompute, strength, through: learnsText ? textInputs : [] },
  );
  const encode = textTrainer(subject.clip, { trainees, values, strength }, { run, recompute });
  const ask = asker(model, run);
  return {
    async step({ captions, told, ...question }, gradient) {
      const texts: (Pick<TrainedText, 'entry'> & Partial<TrainedText>)[] = [];
      for (const caption of captions) {
        texts.push(learnsText ? await encode(tokensOf(caption)) : { entry: await textOf(caption) });
      }
      const entries = texts.map(({ entry }) => ({ ...entry, extra: { ...entry.extra, ...extra } }));
      const input = await ask({ ...question, entries });
      const { loss, through } = await trainer.step(input, await told(input), numbers(gradient));
      for (const [row, { learn }] of texts.entries()) await learn?.(rowOf(through, row), gradient);
      return loss;
    },
  };
}
