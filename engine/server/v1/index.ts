/**
 * The public API beside ComfyUI's routes. Only what has to listen from the start is here; schemas,
 * routes and their libraries are loaded by the first request for them.
 */
import type { RequestHandler } from 'express';
import type { EngineJob, FromEngine } from '../../worker/messages.ts';
import type { Config } from '../../config.ts';
import type { NodeRegistry } from '../../graph/definition.ts';
import type { Dispatcher } from '../../queue/dispatcher.ts';
import type { Queue } from '../../queue/queue.ts';
import type { WebhookRows } from '../../queue/webhook-rows.ts';
import type { Folders } from '../../store/folders.ts';
import { submitPrompt } from '../submit.ts';
import type { Api } from './api.ts';
import { createEventBus } from '../events.ts';
import { createHealth } from '../health.ts';
import type { LeftJob } from './job-json.ts';
import { createMetrics } from '../metrics.ts';
import { rateLimit } from '../rate-limit.ts';
import { postWebhook } from '../webhooks/webhook-request.ts';
import { createWebhooks } from '../webhooks/webhooks.ts';

export interface PublicApiOptions {
  readonly config: Config;
  readonly folders: Folders;
  /** Asked for with the first request or event: the queue tells this API of its changes. */
  readonly queue: () => Queue;
  readonly webhookRows: WebhookRows;
  readonly dispatcher: () => Dispatcher;
  readonly nodes: () => Promise<NodeRegistry>;
  readonly websockets: () => number;
  readonly log: (level: string, text: string) => void;
  readonly newId: () => string;
  readonly now: () => number;
}

export interface PublicApi {
  /** Before everything: the two addresses that need no token, and measuring of all others. */
  readonly first: readonly RequestHandler[];
  /** Behind the guard, before bodies are read: how often a client may change something. */
  readonly admitted: readonly RequestHandler[];
  readonly routes: RequestHandler;
  queueChanged(): void;
  jobsLeft(ids: readonly string[]): void;
  engineMessage(job: EngineJob, message: FromEngine): void;
  /** Takes up webhooks that an earlier process left. */
  start(): void;
  stop(): void;
}

const OURS = /^\/(v1(\/.*)?|metrics|docs|docs\/ui-assets\/.*)\/?$/;

/** The API of a server that is being put together; nothing is asked of the queue yet. */
export function createPublicApi(options: PublicApiOptions): PublicApi {
  const { config, folders, queue, dispatcher, nodes, websockets, log, newId, now } = options;
  const bus = createEventBus({ queue, boot: newId().slice(0, 8) });
  const webhooks = createWebhooks({
    ...{ queue, rows: options.webhookRows, log, now },
    post: (url, body, headers) =>
      postWebhook(url, body, headers, { allowPrivate: config.allowPrivateWebhooks }),
  });
  const metrics = createMetrics({
    ...{ queue, dispatcher, websockets },
    subscribers: () => bus.subscribers(),
    webhooks: () => webhooks.count(),
  });
  const health = createHealth({ queue, dispatcher, nodes: nodes(), now });

  const load = async (): Promise<RequestHandler> => {
    const [{ createRouter }, { routeTable }, { docsPage }] = await Promise.all([
      import('./router.ts'),
      import('./table.ts'),
      import('./docs-page.ts'),
    ]);
    const submitOptions = { queue: queue(), nodes, source: folders, newId, now };
    const api: Api = {
      ...{ config, folders, bus, webhooks, metrics, health },
      ...{ queue: queue(), dispatcher: dispatcher(), source: folders, nodes },
      submit: (body) => submitPrompt(body, submitOptions),
    };
    return docsPage().use(createRouter(routeTable, api, log));
  };
  let loaded: Promise<RequestHandler> | undefined;

  return {
    first: [health.handler, metrics.observe],
    admitted: [rateLimit({ perMinute: config.rateLimit })],
    routes: async (req, res, next) => {
      if (!OURS.test(req.path)) return next();
      const routes = await (loaded ??= load());
      await routes(req, res, next);
    },
    queueChanged: () => bus.queueChanged(),
    jobsLeft: (ids) => {
      const left: LeftJob[] = ids.map((id) => ({ id, job: queue().job(id) }));
      bus.jobsLeft(left);
      metrics.jobsLeft(left);
      webhooks.jobsLeft(left);
    },
    engineMessage: (job, message) => bus.engineMessage(job, message),
    start: () => webhooks.start(),
    stop: () => webhooks.stop(),
  };
}
