import { signal } from '@preact/signals';
import type {
  BinaryFrame,
  MessageData,
  MessageType,
  ServerMessage,
} from '../../engine/protocol.ts';
import { newUuid } from '../uuid.ts';
import { type FormApi, type Job, type JobOutput, Refused, type Values } from './api.ts';
import type { Planned } from './variations.ts';

/** A run of the form on the page, from this visit or an earlier one. */
export interface Run {
  /** The job's id. */
  readonly id: string;
  /** What tells it from others of its batch. */
  readonly label: string;
  readonly values: Values;
  readonly status: Job['status'];
  /** How far the node is that runs, in [0, 1]. */
  readonly part: number | null;
  /** A step of the picture, while it forms. */
  readonly preview: string | null;
  readonly outputs: readonly JobOutput[];
  readonly error: string | null;
  readonly created: string;
}

/** Runs that were started together; those of a grid lie in columns. */
export interface Batch {
  readonly id: string;
  readonly title: string;
  readonly columns: number | null;
  readonly runs: readonly string[];
}

export type Runs = ReturnType<typeof createRuns>;

interface RunsParts {
  readonly api: FormApi;
  readonly form: string;
  readonly clientId: string;
}

type Handlers = { readonly [T in MessageType]?: (data: MessageData[T]) => void };

/** Starts runs of a form and follows them over the websocket. */
export function createRuns({ api, form, clientId }: RunsParts) {
  const runs = signal<ReadonlyMap<string, Run>>(new Map());
  const batches = signal<readonly Batch[]>([]);

  const update = (id: string | undefined, change: Partial<Run>): void => {
    const run = id === undefined ? undefined : runs.value.get(id);
    if (run === undefined) return;
    if (change.preview === null && run.preview !== null) URL.revokeObjectURL(run.preview);
    runs.value = new Map(runs.value).set(run.id, { ...run, ...change });
  };
  const add = (run: Run): void => void (runs.value = new Map(runs.value).set(run.id, run));
  /** The job as the server has it: the end of the story, whatever was missed of it. */
  const settle = async (id: string): Promise<void> => {
    try {
      const { status, outputs, error } = await api.job(id);
      const isOver = status !== 'pending' && status !== 'in_progress';
      update(id, {
        status,
        error: error?.message ?? null,
        ...(isOver ? { outputs, preview: null, part: null } : {}),
      });
    } catch (error) {
      // A job that was dropped while it waited is known to nobody.
      if (error instanceof Refused) update(id, { status: 'cancelled', preview: null });
    }
  };

  const handlers: Handlers = {
    execution_start: ({ prompt_id: id }) => update(id, { status: 'in_progress' }),
    progress: ({ prompt_id: id, value, max }) => update(id, { part: max > 0 ? value / max : null }),
    executing: ({ prompt_id: id, node }) => {
      update(id, { part: null });
      if (node === null && id !== undefined && runs.value.has(id)) void settle(id);
    },
    execution_error: ({ prompt_id: id }) => void (runs.value.has(id) && settle(id)),
    execution_interrupted: ({ prompt_id: id }) => void (runs.value.has(id) && settle(id)),
    execution_success: ({ prompt_id: id }) => void (runs.value.has(id) && settle(id)),
  };

  const start = async (planned: readonly Planned[], title: string, columns: number | null) => {
    const ids = planned.map(() => newUuid());
    const batch: Batch = { id: newUuid(), title, columns, runs: ids };
    let begun = false;
    for (const [i, { values, label }] of planned.entries()) {
      // Known before it is posted: a quick run may be told of ahead of the answer.
      const fresh = {
        status: 'pending',
        part: null,
        preview: null,
        outputs: [],
        error: null,
      } as const;
      const run: Run = { id: ids[i], label, values, ...fresh, created: new Date().toISOString() };
      add(run);
      try {
        await api.run(form, { values, client_id: clientId, id: run.id });
      } catch (error) {
        const left = new Map(runs.value);
        for (const id of ids.slice(i)) left.delete(id);
        runs.value = left;
        batches.value = batches.value.map((each) =>
          each.id === batch.id ? { ...each, runs: ids.slice(0, i) } : each,
        );
        throw error;
      }
      if (!begun) batches.value = [batch, ...batches.value];
      begun = true;
    }
  };

  return {
    runs,
    batches,
    start,
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
      for (const { id, status } of runs.value.values()) {
        if (status === 'pending' || status === 'in_progress') await settle(id);
      }
    },
    async cancel(id: string): Promise<void> {
      await api.cancel(id).catch(() => undefined);
      await settle(id);
    },
    /** Runs of earlier visits and of other windows. */
    async loadHistory(limit = 24): Promise<void> {
      const earlier = await api.runs(form, limit);
      const known = new Map(runs.value);
      for (const { job, values } of earlier) {
        if (known.has(job.id)) continue;
        const { id, status, outputs, error, created_at: created } = job;
        const rest = { part: null, preview: null, error: error?.message ?? null, created };
        known.set(id, { id, label: '', values, status, outputs, ...rest });
      }
      runs.value = known;
    },
  };
}
