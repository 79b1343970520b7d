/** /healthz and /readyz: for whatever starts, watches and balances servers. Both open to everybody. */
import type { RequestHandler } from 'express';
import type { Dispatcher } from '../queue/dispatcher.ts';
import type { Queue } from '../queue/queue.ts';
import { sendJson } from './answer.ts';

export interface HealthOptions {
  readonly queue: Pick<Queue, 'probe'>;
  readonly dispatcher: Pick<Dispatcher, 'engines'>;
  /** The nodes; rejected when they cannot be loaded. */
  readonly nodes: Promise<unknown>;
  readonly now: () => number;
}

export interface Health {
  /** Whether a job submitted now would run, and what keeps it from that. */
  readiness(): {
    readonly status: 200 | 503;
    readonly body: { readonly status: 'ready' | 'unready'; readonly reasons: readonly string[] };
  };
  /** Answers the two addresses, before anybody is asked who they are. */
  readonly handler: RequestHandler;
}

/** Milliseconds that one look at the database holds for. */
const FRESH = 2000;

/** Health of a server that is starting. */
export function createHealth({ queue, dispatcher, nodes, now }: HealthOptions): Health {
  let registry = 'nodes are being loaded';
  nodes.then(
    () => (registry = ''),
    () => (registry = 'nodes could not be loaded'),
  );
  let database: { at: number; reason: string } | undefined;

  const databaseReason = (): string => {
    if (database === undefined || now() - database.at >= FRESH) {
      let reason = '';
      try {
        queue.probe();
      } catch {
        // What the system says may name folders; the log is the place for that.
        reason = 'the database cannot be written';
      }
      database = { at: now(), reason };
    }
    return database.reason;
  };

  const readiness: Health['readiness'] = () => {
    const engine = dispatcher.engines().ready > 0 ? '' : 'no engine is ready';
    const reasons = [registry, databaseReason(), engine].filter((reason) => reason !== '');
    return reasons.length === 0
      ? { status: 200, body: { status: 'ready', reasons } }
      : { status: 503, body: { status: 'unready', reasons } };
  };

  return {
    readiness,
    handler: (req, res, next) => {
      if (req.method !== 'GET' && req.method !== 'HEAD') return next();
      if (req.path !== '/healthz' && req.path !== '/readyz') return next();
      res.set('Cache-Control', 'no-store');
      if (req.path === '/healthz') return sendJson(res, { status: 'ok' });
      const { status, body } = readiness();
      sendJson(res, body, status);
    },
  };
}
