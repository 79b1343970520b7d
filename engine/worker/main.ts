/**
 * The engine process: one job at a time, everything it has to say over IPC. It ends with its server:
 * an engine without one could write files that the next server's engine writes again.
 */
import { writeFileSync } from 'node:fs';
import type { EngineSettings } from '../config.ts';
import type { Log } from '../log.ts';
import { packId } from '../packs/find-packs.ts';
import { packOf } from '../packs/pack-of.ts';
import { createBatch } from './batch.ts';
import { createEngineHost } from './compose.ts';
import type { FromEngine, ToEngine } from './messages.ts';
import { createWorker } from './worker.ts';

const parent = process.ppid;

const batch = createBatch<FromEngine>((messages) => {
  // A busy loop would see the closed channel too late; who the parent is can be asked at any time.
  if (process.ppid !== parent) process.exit(1);
  if (process.connected) process.send!(messages);
});
const send = (message: FromEngine): void => {
  batch.put(message);
  if (!isBetweenNodes(message)) batch.flush();
};
const log: Log = (level, text) => send({ type: 'log', level, text });

process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole group; the server decides when its engines end.
process.on('SIGINT', () => undefined);
preferForOutOfMemory();

const paths = await packsToLoad();
process.on('uncaughtException', (error: unknown) => {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const pack = packOf(error, paths);
  if (pack === undefined) {
    batch.flush();
    process.stderr.write(`${text}\n`);
    process.exit(1);
  }
  // A forgotten timer or listener of a pack is no reason to lose the prompt that runs.
  log('ERROR', `pack '${packId(pack)}': an error nobody caught: ${text}`);
});
const host = await createEngineHost(JSON.parse(process.argv[2]) as EngineSettings, {
  paths,
  log,
  onLoading: (path) =>
    new Promise((resolve) => process.send!([{ type: 'loading', path }], () => resolve())),
});
const obey = createWorker(host, {
  send,
  flush: batch.flush,
  stop: () => process.exit(0),
});
process.on('message', (message) => obey(message as ToEngine));

send({ type: 'ready', report: host.report() });

/** The server's first message. */
function packsToLoad(): Promise<readonly string[]> {
  return new Promise((resolve) => {
    process.on('message', function first(message) {
      const order = message as ToEngine;
      if (order.type === 'stop') process.exit(0);
      if (order.type !== 'packs') return;
      process.off('message', first);
      resolve(order.paths);
    });
  });
}

/** What the executor says before and after nodes may wait for more of it; see `Host.flush`. */
function isBetweenNodes(message: FromEngine): boolean {
  return message.type === 'event' && /^(execut|progress_state$)/.test(message.event);
}

/** When memory runs out, Linux ends this process and not the server with everybody's queue. */
function preferForOutOfMemory(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '600');
  } catch {
    // Not Linux, or not allowed: then the system chooses by size, which is this process anyway.
  }
}
