/** What the routes of the public API work with. */
import type { Core } from '../face.ts';
import type { Health } from '../health.ts';
import type { Metrics } from '../metrics.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import type { RunJobs } from './training-jobs.ts';

export interface Api extends Core {
  readonly webhooks: Webhooks;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly runJobs: RunJobs;
}
