/** Server-sent events: one response that goes on until the client leaves or stops reading. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { NoodleError } from '../../errors.ts';
import { stringifyJson } from '../../workflow/lossless-json.ts';
import type { Api } from './api.ts';
import type { StoryEvent } from '../events.ts';
import { eventJson } from './event-json.ts';
import { findJob, withBase } from './job-json.ts';

/** Streams that may be open at once. */
const MAX_STREAMS = 200;
const HEARTBEAT = 15_000;
/** Bytes a slow client may have waiting before it is told no more progress, … */
const SOFT_LIMIT = 64 * 1024;
/** … and before it is given up: it can come back and ask for what it missed. */
const HARD_LIMIT = 512 * 1024;

export interface StreamOptions {
  /** Only events of this job. */
  readonly job?: string;
  /** The last event that the client had. */
  readonly after?: string;
  readonly base: string;
}

/** Answers with the stream. Throws TOO_MANY, or JOB_UNKNOWN where `job` names none. */
export function eventStream(
  { queue, events }: Pick<Api, 'queue' | 'events'>,
  { job, after, base }: StreamOptions,
): (req: IncomingMessage, res: ServerResponse) => void {
  if (events.readers() >= MAX_STREAMS) {
    throw new NoodleError('TOO_MANY', { what: 'event streams', limit: MAX_STREAMS });
  }
  const now = job === undefined ? undefined : findJob(queue, events, job);
  if (job !== undefined && now === undefined && after === undefined) {
    throw new NoodleError('JOB_UNKNOWN', { id: job });
  }
  return (req, res) => {
    res.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      // Proxies that collect answers would hold everything back.
      'X-Accel-Buffering': 'no',
    });
    req.socket.setNoDelay(true);
    const send = (text: string, droppable: boolean): void => {
      if (res.writableLength > HARD_LIMIT) res.destroy();
      else if (!droppable || res.writableLength <= SOFT_LIMIT) res.write(text);
    };
    const sendEvent = (type: string, data: unknown, id?: string): void => {
      const name = id === undefined ? '' : `id: ${id}\n`;
      send(`${name}event: ${type}\ndata: ${stringifyJson(data)}\n\n`, type === 'progress');
    };
    const isWanted = (event: StoryEvent): boolean =>
      job === undefined || (event.type !== 'queue' && event.job === job);

    send('retry: 3000\n\n', false);
    const missed: Parameters<typeof sendEvent>[] = [];
    let live = false;
    const { complete, stop } = events.follow((event, id) => {
      if (!isWanted(event)) return;
      const data = eventJson(event, base);
      if (live) sendEvent(event.type, data, id);
      else missed.push([event.type, data, id]);
    }, after);
    // A client that missed events begins anew, with how things are.
    if (after !== undefined && !complete) sendEvent('gap', { after });
    if (after === undefined || !complete) {
      if (job === undefined) sendEvent('queue', events.queueState());
      else if (now !== undefined) sendEvent('job', withBase(now, base));
    }
    for (const event of missed) sendEvent(...event);
    live = true;
    const heartbeat = setInterval(() => send(':\n\n', false), HEARTBEAT);
    res.on('close', () => {
      clearInterval(heartbeat);
      stop();
    });
  };
}
