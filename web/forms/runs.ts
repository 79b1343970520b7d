import { signal } from '@preact/signals';
import type {
  BinaryFrame,
  MessageData,
  MessageType,
  ServerMessage,
} from '../../engine/protocol.ts';
import { newUuid } from '../uuid.ts';
import {
  type BatchWish,
  type FormApi,
  type Job,
  type JobOutput,
  Refused,
  type SavedBatch,
  type Values,
} from './api.ts';

/** A run of the form on the page, from this visit or an earlier one. */
export interface Run {
  /** The job's id. */
  readonly id: string;
  readonly values: Values;
  /** Those of them that tell it from others of its batch. */
  readonly own: Values;
  readonly status: Job['status'];
  /** How far the node is that runs, in [0, 1]. */
  readonly part: number | null;
  /** A step of the picture, while it forms. */
  readonly preview: string | null;
  readonly outputs: readonly JobOutput[];
  readonly error: string | null;
  readonly created: string;
}

/** Runs that were started together. */
export interface Batch {
  readonly id: string;
  /** Keys of the fields that were varied. */
  readonly varied: readonly string[];
  /** How many runs stand beside each other; null: as many as there is room for. */
  readonly columns: number | null;
  /** The server knows it as a batch; a single run is none. */
  readonly saved: boolean;
  readonly runs: readonly string[];
}

export type Runs = ReturnType<typeof createRuns>;

interface RunsParts {
  readonly api: FormApi;
  readonly form: string;
  readonly clientId: string;
}

type Handlers = { readonly [T in MessageType]?: (data: MessageData[T]) => void };

export const isOpen = ({ status }: Pick<Run, 'status'>): boolean =>
  status === 'pending' || status === 'in_progress';

/** Longer rows than this are no grid that anybody can read. */
const WIDEST = 12;
/** Batches and single runs of earlier visits that are shown. */
const EARLIER = { batches: 5, runs: 24 };
/** Milliseconds between two looks at what other windows started. */
const PACE = 2000;

/** Starts runs of a form and follows them over the websocket. */
export function createRuns({ api, form, clientId }: RunsParts) {
  const runs = signal<ReadonlyMap<string, Run>>(new Map());
  const batches = signal<readonly Batch[]>([]);
  /** Jobs that the websocket of this window hears of. */
  const heard = new Set<string>();

  const update = (id: string | undefined, change: Partial<Run>): void => {
    const run = id === undefined ? undefined : runs.value.get(id);
    if (run === undefined) return;
    if (change.preview === null && run.preview !== null) URL.revokeObjectURL(run.preview);
    runs.value = new Map(runs.value).set(run.id, { ...run, ...change });
  };
  /** The job as the server has it: the end of the story, whatever was missed of it. */
  const settle = async (id: string): Promise<void> => {
    try {
      update(id, known(await api.job(id)));
    } catch (error) {
      // A job that was dropped while it waited is known to nobody.
      if (error instanceof Refused) update(id, { status: 'cancelled', preview: null });
    }
  };
  /** Puts a batch and its runs into the lists, as far as they are not further already. */
  const take = (saved: SavedBatch): void => {
    const { id, vary, created_at: created } = saved;
    const all = new Map(runs.value);
    for (const { job_id: jobId, status, values: own, job } of saved.runs) {
      const before = all.get(jobId);
      if (before !== undefined && rank(status) < rank(before.status)) continue;
      const values = { ...saved.values, ...own };
      const run = before ?? { ...fresh(jobId, values, created), own };
      all.set(jobId, { ...run, status, ...(job === null ? {} : known(job)) });
    }
    runs.value = all;
    const width = vary.at(-1)?.values.length ?? Infinity;
    const batch: Batch = {
      id,
      varied: vary.map(({ field }) => field),
      columns: width <= WIDEST ? width : null,
      saved: true,
      runs: saved.runs.map(({ job_id: jobId }) => jobId),
    };
    const isKnown = batches.value.some((each) => each.id === id);
    batches.value = isKnown
      ? batches.value.map((each) => (each.id === id ? batch : each))
      : [batch, ...batches.value];
  };
  /** A batch whose jobs this window is told of. */
  const takeHeard = async (saved: SavedBatch): Promise<void> => {
    for (const { job_id: id } of saved.runs) heard.add(id);
    take(saved);
    // What was told of quick ones before they were known here is in the next answer.
    take(await api.batch(saved.id));
  };
  const follow = atPace(PACE, async () => {
    const unheard = [...runs.value.values()].filter((run) => isOpen(run) && !heard.has(run.id));
    const ids = new Set(unheard.map(({ id }) => id));
    for (const batch of batches.value) {
      if (!batch.saved || !batch.runs.some((id) => ids.has(id))) continue;
      take(await api.batch(batch.id));
      for (const id of batch.runs) ids.delete(id);
    }
    for (const id of ids) await settle(id);
  });

  const end = ({ prompt_id: id }: { readonly prompt_id?: string }): void =>
    void (id !== undefined && runs.value.has(id) && settle(id));
  const handlers: Handlers = {
    status: () => follow(),
    execution_start: ({ prompt_id: id }) => update(id, { status: 'in_progress' }),
    progress: ({ prompt_id: id, value, max }) => update(id, { part: max > 0 ? value / max : null }),
    executing: ({ prompt_id: id, node }) => {
      update(id, { part: null });
      if (node === null) end({ prompt_id: id });
    },
    execution_error: end,
    execution_interrupted: end,
    execution_success: end,
  };

  return {
    runs,
    batches,
    async start(values: Values): Promise<void> {
      const id = newUuid();
      // Known before it is posted: a quick run may be told of ahead of the answer.
      runs.value = new Map(runs.value).set(id, fresh(id, values, new Date().toISOString()));
      heard.add(id);
      try {
        await api.run(form, { values, client_id: clientId, id });
      } catch (error) {
        const left = new Map(runs.value);
        left.delete(id);
        runs.value = left;
        throw error;
      }
      const batch: Batch = { id, varied: [], columns: null, saved: false, runs: [id] };
      batches.value = [batch, ...batches.value];
    },
    startBatch: async (wish: BatchWish): Promise<void> =>
      takeHeard(await api.makeBatch(form, wish, clientId)),
    retryBatch: async (id: string, statuses: readonly Run['status'][]): Promise<void> =>
      takeHeard(await api.retryBatch(id, statuses, clientId)),
    cancelBatch: async (id: string): Promise<void> => take(await api.cancelBatch(id)),
    async cancel(id: string): Promise<void> {
      await api.cancel(id).catch(() => undefined);
      await settle(id);
    },
    message: ({ type, data }: ServerMessage): void =>
      (handlers[type] as ((data: unknown) => void) | undefined)?.(data),
    frame: (frame: BinaryFrame): void => {
      if (frame.type !== 'previewWithMetadata') return;
      const { prompt_id: id, image_type: type } = frame.metadata;
      if (runs.value.get(id)?.status !== 'in_progress') return;
      const before = runs.value.get(id)?.preview;
      update(id, { preview: URL.createObjectURL(new Blob([frame.image.slice()], { type })) });
      if (before) URL.revokeObjectURL(before);
    },
    /** The socket came back: what was missed is asked for. */
    async caughtUp(): Promise<void> {
      heard.clear();
      await follow.now();
    },
    /** Batches and runs of earlier visits and of other windows. */
    async loadHistory(): Promise<void> {
      const ids = await api.batchIds(form, EARLIER.batches);
      // The oldest first: each goes before those that are there.
      for (const id of [...ids].reverse()) take(await api.batch(id));
      const all = new Map(runs.value);
      for (const { job, values } of await api.runs(form, EARLIER.runs)) {
        if (!all.has(job.id))
          all.set(job.id, { ...fresh(job.id, values, job.created_at), ...known(job) });
      }
      runs.value = all;
    },
  };
}

const fresh = (id: string, values: Values, created: string): Run => ({
  id,
  values,
  own: {},
  status: 'pending',
  part: null,
  preview: null,
  outputs: [],
  error: null,
  created,
});

/** What a job says of its run. */
const known = ({ status, outputs, error }: Job): Partial<Run> => ({
  status,
  error: error?.message ?? null,
  ...(isOpen({ status }) ? {} : { outputs, preview: null, part: null }),
});

/** How far a run is, for answers that come late. */
const rank = (status: Run['status']): number =>
  status === 'pending' ? 0 : status === 'in_progress' ? 1 : 2;

/** Calls `action` soon, never two at once and never more often than every `pace` milliseconds. */
function atPace(pace: number, action: () => Promise<void>) {
  let running: Promise<void> | undefined;
  let isAsked = false;
  const now = async (): Promise<void> => {
    await running;
    running = action().catch(() => undefined);
    await running;
  };
  const ask = (): void => {
    if (isAsked) return;
    isAsked = true;
    setTimeout(() => {
      isAsked = false;
      void now();
    }, pace);
  };
  return Object.assign(ask, { now });
}
