import { type Ask, createAsk } from '../api/v1.ts';

/** What a run does. */
export type RunState =
  | 'new'
  | 'waiting'
  | 'running'
  | 'pausing'
  | 'stopping'
  | 'paused'
  | 'interrupted'
  | 'stopped'
  | 'finished'
  | 'failed';

export interface Run {
  readonly name: string;
  readonly state: RunState;
  readonly step: number;
  readonly steps: number | null;
  readonly error: string | null;
  readonly created_at: string;
  readonly loss: number | null;
  readonly rate: number | null;
  readonly seconds_per_step: number | null;
  readonly seconds_left: number | null;
  readonly picture: string | null;
}

export interface RunDetail extends Run {
  readonly prompts: readonly string[];
  readonly warnings: readonly string[];
  readonly substitutions: readonly string[];
}

export interface Loss {
  readonly step: number;
  readonly loss: number | null;
  readonly rate: number | null;
}

export interface Sample {
  readonly filename: string;
  readonly step: number;
  readonly index: number;
  readonly url: string;
  readonly thumbnail_url: string;
}

export interface Save {
  readonly filename: string;
  readonly step: number | null;
  readonly bytes: number;
  readonly url: string;
}

/** What is to be trained: settings, or a job file. */
export interface JobSource {
  readonly name?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly yaml?: string;
}

export interface JobCheck {
  readonly valid: boolean;
  readonly name: string | null;
  readonly errors: readonly { readonly pointer?: string; readonly detail: string }[];
  readonly warnings: readonly string[];
  readonly substitutions: readonly string[];
  readonly yaml: string;
}

export interface Options {
  readonly checkpoints: readonly string[];
  readonly families: readonly {
    readonly arch: string;
    readonly title: string;
    readonly resolution: number;
  }[];
  readonly networks: readonly string[];
  readonly optimizers: readonly string[];
  readonly schedules: readonly string[];
  readonly defaults: Readonly<Record<string, unknown>>;
}

export interface Dataset {
  readonly name: string;
  readonly pictures: number;
  readonly captions: number;
  readonly picture: string | null;
}

export interface DatasetItem {
  readonly filename: string;
  readonly caption: string | null;
  readonly url: string;
  readonly thumbnail_url: string;
}

export interface DatasetPage extends Dataset {
  readonly items: readonly DatasetItem[];
  readonly offset: number;
}

export interface CaptionChange {
  readonly find?: string;
  readonly replace?: string;
  readonly prepend?: string;
  readonly append?: string;
}

export type TrainingApi = ReturnType<typeof createTrainingApi>;

/** The part of the server's own API that is about training; `base` is the address of its root. */
export function createTrainingApi(base: string) {
  const askServer = createAsk(base);
  const ask = <T>(...request: Parameters<Ask>): Promise<T> => askServer(...request) as Promise<T>;
  const runs = 'v1/training/runs';
  const sets = 'v1/training/datasets';
  const run = (name: string, part = ''): string => `${runs}/${encodeURIComponent(name)}${part}`;
  const set = (name: string, part = ''): string => `${sets}/${encodeURIComponent(name)}${part}`;

  return {
    options: () => ask<Options>('GET', 'v1/training/options'),
    check: (source: JobSource) => ask<JobCheck>('POST', 'v1/training/check', source),
    runs: async () => (await ask<{ runs: readonly Run[] }>('GET', runs)).runs,
    create: (source: JobSource, start: boolean) =>
      ask<RunDetail>('POST', runs, { ...source, start }),
    run: (name: string) => ask<RunDetail>('GET', run(name)),
    remove: (name: string) => ask('DELETE', run(name)),
    start: (name: string) => ask<RunDetail>('POST', run(name, '/start')),
    pause: (name: string) => ask<RunDetail>('POST', run(name, '/pause')),
    stop: (name: string) => ask<RunDetail>('POST', run(name, '/stop')),
    config: (name: string) => ask<string>('GET', run(name, '/config')),
    changeConfig: (name: string, yaml: string) =>
      ask<RunDetail>('PUT', run(name, '/config'), { yaml }),
    losses: (name: string, after: number) =>
      ask<{ losses: readonly Loss[]; last: number | null }>(
        'GET',
        run(name, `/losses?after=${after}`),
      ),
    samples: async (name: string) =>
      (await ask<{ samples: readonly Sample[] }>('GET', run(name, '/samples'))).samples,
    saves: async (name: string) =>
      (await ask<{ saves: readonly Save[] }>('GET', run(name, '/saves'))).saves,
    datasets: async () => (await ask<{ datasets: readonly Dataset[] }>('GET', sets)).datasets,
    createDataset: (name: string) => ask<Dataset>('POST', sets, { name }),
    dataset: (name: string, offset: number, limit: number) =>
      ask<DatasetPage>('GET', set(name, `?offset=${offset}&limit=${limit}`)),
    writeCaption: (name: string, filename: string, caption: string) =>
      ask<DatasetItem>('PUT', set(name, `/captions/${encodeURIComponent(filename)}`), { caption }),
    changeCaptions: (name: string, change: CaptionChange) =>
      ask<{ changed: number }>('POST', set(name, '/captions'), change),
    removePicture: (name: string, filename: string) =>
      ask('DELETE', set(name, `/pictures/${encodeURIComponent(filename)}`)),
  };
}
