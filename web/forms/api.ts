import type { Form } from '../../engine/workflow/form/form.ts';
import { type Ask, ServerProblem, createAsk } from '../api/v1.ts';
import { textOf } from '../text.ts';

/** What a field holds. */
export type Value = string | number | bigint | boolean | null;
export type Values = Readonly<Record<string, Value>>;

export interface WorkflowSummary {
  readonly id: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly builtin: boolean;
  readonly app: boolean;
  readonly picture: string | null;
}

export type SavedForm = Form & { readonly id: string; readonly builtin: boolean };

export interface JobOutput {
  readonly node_id: string;
  readonly kind: string;
  readonly filename?: string;
  readonly directory?: string;
  readonly media_type?: string;
  readonly url?: string;
  readonly text?: string;
}

export interface Job {
  readonly id: string;
  readonly status: 'pending' | 'in_progress' | 'completed' | 'failed' | 'cancelled';
  readonly created_at: string;
  readonly outputs: readonly JobOutput[];
  readonly error: { readonly message: string; readonly node_id: string | null } | null;
}

type Status = Job['status'];

/** Many runs of a form, as they are asked for; see POST /v1/batches. */
export interface BatchWish {
  readonly values: Values;
  readonly vary?: readonly { readonly field: string; readonly values: readonly Value[] }[];
  readonly csv?: string;
  readonly count?: number;
  readonly seed_mode: 'fixed' | 'random' | 'increment';
}

/** A batch as the server has it. */
export interface SavedBatch {
  readonly id: string;
  readonly created_at: string;
  readonly total: number;
  readonly values: Values;
  readonly vary: readonly { readonly field: string; readonly values: readonly Value[] }[];
  readonly runs: readonly {
    readonly job_id: string;
    readonly status: Status;
    /** What this run has of its own. */
    readonly values: Values;
    readonly job: Job | null;
  }[];
}

/** What is wrong with one input. */
export interface RefusedValue {
  /** Key or name of the field, or `<node>.<input>`; null where it is about the whole. */
  readonly field: string | null;
  readonly detail: string;
}

/** The server did not take a request. */
export class Refused extends Error {
  readonly parts: readonly RefusedValue[];

  constructor(message: string, parts: readonly RefusedValue[]) {
    super(message);
    this.parts = parts;
  }
}

/** A field as the builder of forms writes it. */
export interface FieldChoice {
  readonly key: string;
  readonly label?: string;
  readonly help?: string;
  readonly section?: string;
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
  readonly default?: Value;
}

export interface FormChoice {
  readonly title: string;
  readonly description: string;
  /** Null gives the choice back to the rules. */
  readonly fields: readonly FieldChoice[] | null;
  readonly outputs: readonly string[] | null;
}

export type FormApi = ReturnType<typeof createFormApi>;

/** The part of the server's own API that forms are made of; `base` is the address of its root. */
export function createFormApi(base: string) {
  const askServer = createAsk(base);
  const ask: Ask = (method, path, body) =>
    askServer(method, path, body).catch((error: unknown) => {
      throw error instanceof ServerProblem ? refusedBy(error) : error;
    });
  const at = (id: string, part = ''): string => `v1/workflows/${encodeURIComponent(id)}${part}`;

  return {
    list: async (): Promise<readonly WorkflowSummary[]> => {
      const { workflows } = (await ask('GET', 'v1/workflows?limit=1000')) as {
        workflows: WorkflowSummary[];
      };
      return workflows;
    },
    form: async (id: string): Promise<SavedForm> =>
      (await ask('GET', at(id, '/form'))) as SavedForm,
    choose: async (id: string, choice: FormChoice): Promise<SavedForm> =>
      (await ask('PUT', at(id, '/form'), choice)) as SavedForm,
    run: async (
      id: string,
      body: { values: Values; client_id: string; id: string },
    ): Promise<Job> => (await ask('POST', at(id, '/run'), body)) as Job,
    runs: async (
      id: string,
      limit: number,
    ): Promise<readonly { readonly job: Job; readonly values: Values }[]> => {
      const { runs } = (await ask('GET', at(id, `/runs?limit=${limit}`))) as {
        runs: { job: Job; values: Values }[];
      };
      return runs;
    },
    makeBatch: async (id: string, wish: BatchWish, clientId: string): Promise<SavedBatch> => {
      const body = { ...wish, workflow_id: id, client_id: clientId };
      return (await ask('POST', 'v1/batches', body)) as SavedBatch;
    },
    /** Ids of the newest batches of a form. */
    batchIds: async (id: string, limit: number): Promise<readonly string[]> => {
      const query = `workflow_id=${encodeURIComponent(id)}&limit=${limit}`;
      const { batches } = (await ask('GET', `v1/batches?${query}`)) as {
        batches: { id: string }[];
      };
      return batches.map((batch) => batch.id);
    },
    batch: async (id: string): Promise<SavedBatch> =>
      (await ask('GET', `v1/batches/${encodeURIComponent(id)}`)) as SavedBatch,
    cancelBatch: async (id: string): Promise<SavedBatch> =>
      (await ask('DELETE', `v1/batches/${encodeURIComponent(id)}`)) as SavedBatch,
    retryBatch: async (
      id: string,
      status: readonly Status[],
      clientId: string,
    ): Promise<SavedBatch> =>
      (await ask('POST', `v1/batches/${encodeURIComponent(id)}/retry`, {
        status,
        client_id: clientId,
      })) as SavedBatch,
    job: async (id: string): Promise<Job> =>
      (await ask('GET', `v1/jobs/${encodeURIComponent(id)}`)) as Job,
    cancel: (id: string): Promise<unknown> => ask('DELETE', `v1/jobs/${encodeURIComponent(id)}`),
  };
}

function refusedBy({ message, parts }: ServerProblem): Refused {
  const refused = parts.map(({ pointer, node_id: node, input, detail }) => ({
    field: textOf(pointer).startsWith('/values/')
      ? textOf(pointer).slice('/values/'.length).replaceAll('~1', '/').replaceAll('~0', '~')
      : node === undefined || input === undefined
        ? null
        : `${textOf(node)}.${textOf(input)}`,
    detail: textOf(detail),
  }));
  return new Refused(message, refused);
}
