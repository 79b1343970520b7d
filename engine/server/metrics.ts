/**
 * Numbers for Prometheus. The library behind them is loaded by the first request for /metrics (or
 * when much has been seen): observations wait for it, so that starting the server does not.
 */
import type { RequestHandler } from 'express';
import type { Registry } from 'prom-client';
import type { Dispatcher } from '../queue/dispatcher.ts';
import type { Queue } from '../queue/queue.ts';
import { JOB_STATUSES, isFinished } from '../queue/store.ts';
import type { LeftJob } from './events.ts';

export interface MetricsOptions {
  readonly queue: Queue;
  readonly dispatcher: Dispatcher;
  readonly eventStreams: () => number;
  readonly webhooks: () => number;
  readonly websockets: () => number;
}

export interface Metrics {
  /** Measures every request that comes through it. */
  readonly observe: RequestHandler;
  jobsLeft(left: readonly LeftJob[]): void;
  /** The numbers in Prometheus' text format, and its media type. */
  text(): Promise<{ text: string; mediaType: string }>;
}

type Labels = Readonly<Record<string, string>>;

interface Loaded {
  readonly registry: Registry;
  request(labels: Labels, seconds: number): void;
  job(labels: Labels, seconds: number | undefined): void;
}

type Observation = (loaded: Loaded) => void;

/** Observations that may wait for the library. */
const MOST_WAITING = 5000;
/** Requests that last as long as their client likes. */
const STREAMS = ['/v1/events'];

/** Metrics without observations. */
export function createMetrics(options: MetricsOptions): Metrics {
  let waiting: Observation[] = [];
  let loading: Promise<Loaded> | undefined;

  const load = (): Promise<Loaded> =>
    (loading ??= loadMetrics(options).then((loaded) => {
      for (const observation of waiting) observation(loaded);
      waiting = [];
      add = (observation) => observation(loaded);
      return loaded;
    }));
  let add = (observation: Observation): void => {
    if (waiting.length < MOST_WAITING) waiting.push(observation);
    else void load();
  };

  return {
    observe: (req, res, next) => {
      const begin = performance.now();
      res.once('finish', () => {
        const route = routeOf(req);
        if (STREAMS.includes(route)) return;
        const labels = { method: req.method, route, status: String(res.statusCode) };
        const seconds = (performance.now() - begin) / 1000;
        add((loaded) => loaded.request(labels, seconds));
      });
      next();
    },
    jobsLeft: (left) => {
      for (const { job } of left) {
        const status = job?.status ?? 'cancelled';
        const seconds =
          job !== undefined && isFinished(job) && job.executionEnd !== undefined
            ? (job.executionEnd - (job.executionStart ?? job.executionEnd)) / 1000
            : undefined;
        add((loaded) => loaded.job({ status }, seconds));
      }
    },
    text: async () => {
      const { registry } = await load();
      return { text: await registry.metrics(), mediaType: registry.contentType };
    },
  };
}

/** The route as it is written in the code: names from outside must not become labels. */
function routeOf(req: Parameters<RequestHandler>[0]): string {
  const path = (req.route as { path?: unknown } | undefined)?.path;
  return typeof path === 'string' ? req.baseUrl + path : 'other';
}

async function loadMetrics(options: MetricsOptions): Promise<Loaded> {
  const { queue, dispatcher, eventStreams, webhooks, websockets } = options;
  const { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } = (
    await import('prom-client')
  ).default;
  const registry = new Registry();
  const registers = [registry];
  // Memory, processor time, event loop lag, garbage collection.
  collectDefaultMetrics({ register: registry });

  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(read());
      },
    });
  };
  gauge('noodle_queue_pending', 'Jobs that wait.', () => queue.counts().pending);
  gauge('noodle_queue_running', 'Jobs that run.', () => queue.counts().running);
  gauge('noodle_queue_paused', '1 while the queue is paused.', () => Number(queue.paused()));
  gauge('noodle_engines', 'Engine processes there should be.', () => dispatcher.engines().total);
  gauge(
    'noodle_engines_ready',
    'Engine processes that can take jobs or run one.',
    () => dispatcher.engines().ready,
  );
  gauge('noodle_event_streams', 'Open event streams.', eventStreams);
  gauge('noodle_websockets', 'Open websockets.', websockets);
  gauge('noodle_webhooks_waiting', 'Webhooks that are not delivered yet.', webhooks);
  new Gauge({
    ...{ name: 'noodle_jobs', help: 'Jobs in the database.', labelNames: ['status'], registers },
    collect() {
      for (const status of JOB_STATUSES) {
        const filter = { statuses: [status], limit: 0, offset: 0, descending: false } as const;
        this.set({ status }, queue.list({ ...filter, sortBy: 'created_at' }).total);
      }
    },
  });
  const restarts = new Counter({
    ...{ name: 'noodle_engine_restarts_total', help: 'Engine processes that ended unasked.' },
    registers,
    collect() {
      this.reset();
      this.inc(dispatcher.engines().restarts);
    },
  });
  restarts.inc(0);

  const requests = new Histogram({
    name: 'noodle_http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
    registers,
  });
  const finished = new Counter({
    name: 'noodle_jobs_finished_total',
    help: 'Jobs that came to an end since the server was started.',
    labelNames: ['status'],
    registers,
  });
  const durations = new Histogram({
    name: 'noodle_job_duration_seconds',
    help: 'Time that jobs ran.',
    labelNames: ['status'],
    buckets: [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600],
    registers,
  });
  return {
    registry,
    request: (labels, seconds) => requests.observe(labels, seconds),
    job: (labels, seconds) => {
      finished.inc(labels);
      if (seconds !== undefined) durations.observe(labels, seconds);
    },
  };
}
