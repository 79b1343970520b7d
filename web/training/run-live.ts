import { batch, signal } from '@preact/signals';
import { messageOf } from '../text.ts';
import type { Loss, RunDetail, Sample, Save, TrainingApi } from './api.ts';
import { isActive } from './run-words.ts';

export type RunLive = ReturnType<typeof createRunLive>;

/** Milliseconds until a run is looked at again, and until its files are. */
const SOON = 1500;
const LATER = 10_000;
const FILES = 5000;

/** A run as it goes on: only new losses are asked for. */
export function createRunLive(name: string, api: TrainingApi) {
  const run = signal<RunDetail | null>(null);
  const losses = signal<readonly Loss[]>([]);
  const samples = signal<readonly Sample[]>([]);
  const saves = signal<readonly Save[]>([]);
  const problem = signal('');
  const changes = signal(0);
  let filesAt = 0;
  let filesOf = '';

  const readLosses = async (): Promise<void> => {
    const known = losses.value.at(-1)?.step ?? 0;
    const { losses: more, last } = await api.losses(name, known);
    // Steps that were undone are done again: what is known of them counts no more.
    const isBack = (last ?? 0) < known;
    if (isBack) losses.value = (await api.losses(name, 0)).losses;
    else if (more.length > 0) losses.value = [...losses.value, ...more];
  };
  const readFiles = async (): Promise<void> => {
    const { state = '', step = 0 } = run.value ?? {};
    if (
      filesOf === `${state} ${step}` ||
      (filesOf.startsWith(state) && Date.now() - filesAt < FILES)
    ) {
      return;
    }
    const [pictures, weights] = await Promise.all([api.samples(name), api.saves(name)]);
    [filesAt, filesOf] = [Date.now(), `${state} ${step}`];
    batch(() => {
      samples.value = pictures;
      saves.value = weights;
    });
  };

  return {
    run,
    losses,
    samples,
    saves,
    /** Why what is shown may be old; '' where it is not. */
    problem,
    /** Looks how it is; says in how many milliseconds it is worth looking again. */
    look: async (): Promise<number> => {
      try {
        run.value = await api.run(name);
        await Promise.all([readLosses(), readFiles()]);
        problem.value = '';
      } catch (error) {
        problem.value = messageOf(error);
      }
      return run.value !== null && isActive(run.value) ? SOON : LATER;
    },
    /** Counts what was done to the run from here: after each it is worth looking at once. */
    changes,
    /** Does what changes the run; throws what the server says. */
    change: async (act: () => Promise<RunDetail>): Promise<void> => {
      run.value = await act();
      changes.value++;
    },
  };
}
