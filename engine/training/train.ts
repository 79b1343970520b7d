/**
 * A training run: a job's adapters on its model, step by step, until it is done, told to pause, or killed; it goes on
 * from its last state as if nothing had been.
 */
import { createHash, randomInt } from 'node:crypto';
import { NoodleError } from '../errors.ts';
import { pythonRandom } from '../sampling/noise/python-random.ts';
import { TorchGenerator } from '../sampling/noise/torch-generator.ts';
import { sweepLeftovers } from '../store/leftovers.ts';
import { openSafetensors } from '../weights/safetensors.ts';
import { clipGradient } from './clip.ts';
import { openDataset } from './data/dataset.ts';
import { type BatchOrder, createBatches } from './data/order.ts';
import { updateAverage } from './ema.ts';
import type { TrainingJob } from './job/job.ts';
import type { Losses } from './job/loss-line.ts';
import { openLosses } from './job/losses.ts';
import { type Progress, writeProgress } from './job/progress.ts';
import { type RunFolder, openRunFolder } from './job/run-folder.ts';
import type { DatasetSettings } from './job/sections/dataset.ts';
import { batchTrainer } from './loop/batch.ts';
import type { TrainingHost } from './loop/host.ts';
import { makeSamples } from './loop/samples.ts';
import { type Published, adopt, publish } from './loop/saved.ts';
import { type RunState, readState, writeState } from './loop/state.ts';
import { openSubject } from './loop/subject.ts';
import { jobTrainees } from './loop/trainees.ts';
import { refuseUntrained } from './loop/untrained.ts';
import { trainedFamily } from './modules/families.ts';
import { adaptedClip, adaptedModel, groupsIn } from './networks/trainees.ts';
import { createOptimizer } from './optimizers/index.ts';
import type { OptimizerState } from './optimizers/optimizer.ts';
import { trainerDefaults } from './optimizers/trainer-defaults.ts';
import type { ParameterLayout } from './parameters.ts';
import { scheduleOf } from './schedules.ts';

/** Losses that are no finite number, one after another, that end a run. */
const mostSkipped = 10;

/**
 * Trains a job in its run folder to the end. What lies there is gone on from. Throws INTERRUPTED when the host's signal
 * asked for it, after the step that was being done was saved; and what opening models and pictures throws. The folder
 * says how far it is, and what went wrong.
 */
export async function train(job: TrainingJob, host: TrainingHost): Promise<void> {
  const folder = openRunFolder(job.trainingFolder, job.name);
  const { steps } = job.train;
  let step = 0;
  const tell = (state: Progress['state'], error?: string): void =>
    writeProgress(folder.file('progress'), {
      state,
      step,
      steps,
      ...(error !== undefined && { error }),
      updated: Date.now(),
    });
  try {
    await sweepLeftovers([folder.path, ...cachesOf(job)]);
    folder.writeConfig(job.raw);
    tell('running');
    await steppedThrough(job, folder, host, (done) => {
      step = done;
      tell('running');
      host.progress?.(done, steps);
    });
    tell('finished');
  } catch (cause) {
    const error = ending(cause, job.name, host.signal);
    try {
      if (error instanceof NoodleError && error.code === 'INTERRUPTED') tell('paused');
      else tell('failed', error instanceof Error ? error.message : String(error));
    } catch {
      // What ended the run, a full disk for one, may keep it from saying so.
    }
    throw error;
  }
}

/** Where encoded pictures are kept, if anywhere. */
const cachesOf = ({ datasets }: TrainingJob): string[] =>
  datasets.filter((set) => set.cacheLatentsToDisk).map((set) => set.folderPath);

/** What a disk answers that takes no more. */
const unwritable = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EIO']);

/** An error in our words: that the run was asked to end, or that its folder takes no more. */
function ending(cause: unknown, name: string, signal: AbortSignal): unknown {
  if (signal.aborted && cause === signal.reason) {
    return new NoodleError('INTERRUPTED', undefined, { cause });
  }
  const { code = '', syscall } = cause as NodeJS.ErrnoException;
  const isUnwritable = syscall !== undefined && unwritable.has(code);
  return isUnwritable ? new NoodleError('FILE_WRITE', { name, reason: code }, { cause }) : cause;
}

async function steppedThrough(
  job: TrainingJob,
  folder: RunFolder,
  host: TrainingHost,
  done: (step: number) => void,
): Promise<void> {
  refuseUntrained(job);
  const { train: settings, save, sample, firstSample } = job;
  const run = await openRun(job, folder, host);
  const losses = await openLosses(folder, {
    step: run.step,
    useUiLogger: job.logging.useUiLogger,
  });
  const keep = (): void => {
    losses.flush();
    run.keep();
  };
  const drawSamples = async (which = sample): Promise<void> => {
    if (settings.disableSampling || host.signal.aborted) return;
    await makeSamples(run.subject, run.trained, which, run.step, { folder, host });
  };
  try {
    const isFresh = run.step <= 1 && !settings.skipFirstSample;
    if (isFresh || settings.forceFirstSample) await drawSamples(firstSample ?? sample);
    done(run.step);
    while (run.step < settings.steps) {
      if (host.signal.aborted) {
        keep();
        throw new NoodleError('INTERRUPTED');
      }
      await run.next(losses);
      done(run.step);
      if (run.step === settings.steps) break;
      if (run.step % save.saveEvery === 0) {
        run.publish(run.step);
        keep();
        folder.dropOldSaves(save.maxStepSavesToKeep);
      }
      const { sampleEvery, sampleStartStep } = sample;
      if (run.step % sampleEvery === 0 && run.step >= sampleStartStep) await drawSamples();
    }
    run.publish();
    keep();
    await drawSamples();
  } finally {
    losses.close();
  }
}

/** Opens what a run works on, where it stands: from its state, else a saved adapter, else anew. */
async function openRun(job: TrainingJob, folder: RunFolder, host: TrainingHost) {
  const { train: settings } = job;
  const subject = await openSubject(job, host);
  const { model } = subject;
  const traineesFrom = jobTrainees(job, subject, host.log);
  // the draws of a run with a state are behind it: their seed does not matter
  const layout = digestOf(traineesFrom(new TorchGenerator(0)).layout);
  const state = await readState(folder.file('optimizer'), layout);
  const seed = state?.seed ?? job.seed ?? randomInt(2 ** 32);
  const generator = new TorchGenerator(seed);
  const list = pythonRandom(seed);
  const trainees = traineesFrom(generator);
  const values = trainees.start();
  const published: Published = { job, model, trainees };
  host.log(`${trainees.layout.size} trained numbers`);

  const { unit = 16 } = trainedFamily(model.family.name);
  const sets = [];
  for (const dataset of job.datasets) {
    const { links } = host;
    const open = { unit, batchSize: settings.batchSize, random: list, links, signal: host.signal };
    sets.push(await openDataset<DatasetSettings>(dataset, open));
  }
  const plain = createBatches(
    sets.filter((set) => !set.settings.isReg),
    list,
  );
  const regular = createBatches(
    sets.filter((set) => set.settings.isReg),
    list,
  );
  if (plain.length === 0) {
    const expected = 'a set with pictures that is no regularisation set';
    throw new NoodleError('BAD_INPUT', { subject: 'datasets', expected, got: 'none' });
  }
  const orders = [plain, regular];

  const defaults = trainerDefaults[settings.optimizer];
  const begun = state ? 0 : await begin();
  // before the optimiser, for some remember where they began
  if (state) values.set(state.values);
  const optimizer = createOptimizer(
    settings.optimizer,
    trainees.layout,
    { ...defaults?.settings, ...settings.optimizerParams },
    values,
  );
  const { emaConfig } = settings;
  const average = emaConfig.useEma ? values.slice() : undefined;
  const gradient = new Float32Array(trainees.layout.size);
  const { startStep } = settings;
  const at = { step: begun, skipped: 0, pending: 0 };
  if (state) restore(state);
  // it is obeyed once, else a run that is gone on with would never end
  if (startStep !== undefined && startStep !== state?.startStep) at.step = startStep;
  const trainBatch = batchTrainer(job, subject, { trainees, values }, { generator, list }, host);
  const rateAt = scheduleOf(settings.lrScheduler, settings.lrSchedulerParams, settings.steps);
  const every =
    settings.gradientAccumulationSteps === 'epoch'
      ? plain.length
      : settings.gradientAccumulationSteps;

  function restore(from: RunState): void {
    if (from.average) average?.set(from.average);
    if (from.gradient) gradient.set(from.gradient);
    recall(from.optimizer);
    generator.restore(from.generator);
    list.restore(from.list);
    orders.forEach((order, i) => {
      if (!order.restore(from.positions[i]))
        host.log('the pictures have changed: a new epoch begins');
    });
    at.step = from.step;
    at.skipped = from.skipped;
    at.pending = from.pending;
    host.log(`going on after ${from.step} steps`);
  }

  /** What another optimiser remembers says nothing to this one. */
  function recall(saved: OptimizerState): void {
    try {
      optimizer.restore(saved);
    } catch (error) {
      if (!(error instanceof NoodleError)) throw error;
      host.log(`the optimiser begins anew: ${error.message}`);
    }
  }

  /** Takes over a saved adapter where there is one; the steps that are done. */
  async function begin(): Promise<number> {
    const last = await folder.newestSave();
    const path = last?.path ?? job.network.pretrainedLoraPath;
    if (path === undefined) return 0;
    const [found, all] = await adopt(published, values, await openSafetensors(path));
    host.log(`${found} of ${all} tensors taken over from a saved adapter`);
    return last?.step ?? 0;
  }

  /** The pictures of a step: of regularisation sets every other time, but not where something is saved or drawn. */
  function orderAt(step: number): BatchOrder<DatasetSettings> {
    const isMarked = step % job.save.saveEvery === 0 || step % job.sample.sampleEvery === 0;
    return regular.length > 0 && step % 2 === 0 && !isMarked ? regular : plain;
  }

  const self = {
    subject,
    get step(): number {
      return at.step;
    },
    /** The model and its text encoders with what was learnt. */
    trained: (strength: number) => {
      const acting = { trainees, values: average ?? values, strength };
      return { model: adaptedModel(model, acting), clip: adaptedClip(subject.clip, acting) };
    },
    /** Writes all that it takes to go on from here. */
    keep(): void {
      writeState(folder.file('optimizer'), layout, {
        step: at.step,
        skipped: at.skipped,
        pending: at.pending,
        startStep,
        seed,
        values,
        average,
        gradient: at.pending > 0 ? gradient : undefined,
        optimizer: optimizer.state(),
        positions: orders.map((order) => order.position()),
        generator: generator.save(),
        list: list.save(),
      });
    },
    /** Writes the adapter, as that of a step or of the end. */
    publish(step?: number): void {
      const path = folder.savePath(step);
      publish(published, average ?? values, {
        path,
        step: at.step,
        epoch: plain.position().epoch,
      });
    },
    /** One step of the loop. */
    async next(losses: Losses): Promise<void> {
      const began = performance.now();
      const order = orderAt(at.step);
      let loss = 0;
      for (let i = 0; i < settings.gradientAccumulation; i++) {
        loss += (await trainBatch(order.next(), gradient)) / settings.gradientAccumulation;
      }
      const rates = [settings.textEncoderLr, settings.unetLr].map((own) => rateAt(at.step, own));
      const rate = rates[settings.trainUnet ? 1 : 0];
      at.pending++;
      if (!Number.isFinite(loss)) skip();
      else if (at.pending >= every) {
        if (defaults?.clips !== false) {
          for (const group of groupsIn(gradient, trainees))
            clipGradient(group, settings.maxGradNorm);
        }
        optimizer.step(
          values,
          gradient,
          ({ offset }) => rates[offset < trainees.ofEncoders ? 0 : 1],
        );
        gradient.fill(0);
        at.pending = 0;
        at.skipped = 0;
        if (average) updateAverage(average, values, averageOf(emaConfig));
      }
      at.step++;
      const seconds = (performance.now() - began) / 1000;
      losses.append({ step: at.step, loss, rate, seconds });
      const { logEvery } = job.logging;
      if (at.step % (logEvery ?? 1) === 0) {
        host.log(`${at.step}/${settings.steps} loss ${loss.toPrecision(4)} lr ${rate}`);
      }
    },
  };

  /** A loss that is no number teaches nothing; many of them end the run. */
  function skip(): void {
    gradient.fill(0);
    at.pending = 0;
    at.skipped++;
    host.log(`step ${at.step + 1}: the loss is no finite number, nothing is learnt from it`);
    if (at.skipped < mostSkipped && !job.stopsOnNotFinite) return;
    const got = `${at.skipped} steps in a row without one`;
    throw new NoodleError('BAD_INPUT', { subject: 'loss', expected: 'a finite number', got });
  }

  if (!state) self.keep();
  return self;
}

const averageOf = ({
  emaDecay,
  useFeedback,
  paramMultiplier,
}: TrainingJob['train']['emaConfig']) => ({
  ema_decay: emaDecay,
  use_feedback: useFeedback,
  param_multiplier: paramMultiplier,
});

/** Tells networks of unlike parts apart. */
function digestOf({ list }: ParameterLayout): string {
  const parts = list.map(({ name, shape }) => [name, shape]);
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
