/**
 * The public API beside ComfyUI's routes. Only what has to listen from the start is here; schemas,
 * routes and their libraries are loaded by the first request for them.
 */
import type { RequestHandler } from 'express';
import { stringifyJson } from '../../workflow/lossless-json.ts';
import type { Core, Face } from '../face.ts';
import { createHealth } from '../health.ts';
import { lazily } from '../lazily.ts';
import { createMetrics } from '../metrics.ts';
import { createWebhooks } from '../webhooks/webhooks.ts';
import type { Api } from './api.ts';
import { leftJson } from './event-json.ts';
import { refuseAsProblem } from './problem.ts';
import { createRunJobs } from './training-jobs.ts';

const OURS = /^\/(v1(\/.*)?|metrics|docs|docs\/ui-assets\/.*)\/?$/;

/** `/v1`, its description, health, metrics and webhooks. */
export function v1Face(core: Core): Face {
  const { config, queue, dispatcher, events, nodes, log, now } = core;
  const webhooks = createWebhooks({
    queue,
    log,
    now,
    rows: core.webhookRows,
    payload: (left, base) => stringifyJson({ type: 'job.finished', job: leftJson(left, base) }),
    post: async (url, body, headers) => {
      const { postWebhook } = await import('../webhooks/webhook-request.ts');
      return postWebhook(url, body, headers, { allowPrivate: config.allowPrivateWebhooks });
    },
  });
  const metrics = createMetrics({
    queue,
    dispatcher,
    websockets: core.websockets,
    streams: ['/v1/events'],
    eventStreams: () => events.readers(),
    webhooks: () => webhooks.count(),
  });
  const health = createHealth({ queue, dispatcher, nodes: nodes(), now });

  const runJobs = createRunJobs(core);

  const load = async (): Promise<RequestHandler> => {
    const [{ createRouter }, { routeTable }, { docsPage }] = await Promise.all([
      import('./router.ts'),
      import('./table.ts'),
      import('./docs-page.ts'),
    ]);
    const api: Api = { ...core, webhooks, metrics, health, runJobs };
    return docsPage().use(createRouter(routeTable, api));
  };
  const routes = lazily(load);
  const router: RequestHandler = (req, res, next) =>
    OURS.test(req.path) ? routes(req, res, next) : next();

  return {
    name: 'v1',
    // The two addresses of health need no token; every request is measured, refused ones too.
    open: [health.handler, metrics.observe],
    routes: [{ at: 'root', router }],
    refuse: refuseAsProblem,
    on: {
      left: (jobs) => {
        metrics.jobsLeft(jobs);
        webhooks.jobsLeft(jobs);
        runJobs.left(jobs);
      },
    },
    // Takes up webhooks that an earlier process left.
    start: () => webhooks.start(),
    stop: () => webhooks.stop(),
  };
}
