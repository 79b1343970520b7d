/** What the routes of the public API work with. */
import type { Config } from '../../config.ts';
import type { ChoiceSource, NodeRegistry } from '../../graph/definition.ts';
import type { Dispatcher } from '../../queue/dispatcher.ts';
import type { Queue } from '../../queue/queue.ts';
import type { Folders } from '../../store/folders.ts';
import type { Json } from '../../workflow/lossless-json.ts';
import type { SubmitAnswer } from '../submit.ts';
import type { EventBus } from '../events.ts';
import type { Health } from '../health.ts';
import type { Metrics } from '../metrics.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';

export interface Api {
  readonly config: Config;
  readonly queue: Queue;
  readonly dispatcher: Dispatcher;
  readonly folders: Folders;
  readonly source: ChoiceSource;
  readonly nodes: () => Promise<NodeRegistry>;
  /** Checks and queues the body of a POST /prompt. */
  readonly submit: (body: Json) => Promise<SubmitAnswer>;
  readonly bus: EventBus;
  readonly webhooks: Webhooks;
  readonly metrics: Metrics;
  readonly health: Health;
}
