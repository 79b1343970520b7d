/**
 * Puts the server together, each part from those above it, and starts it: listening comes first,
 * everything heavy after that.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Assets, createAssets } from '../assets/client.ts';
import { assetRoots } from '../assets/roots.ts';
import type { Config } from '../config.ts';
import type { NodeRegistry } from '../graph/definition.ts';
import type { Log } from '../log.ts';
import { findPacks } from '../packs/find-packs.ts';
import { createPackHost } from '../packs/pack-host.ts';
import { createDispatcher } from '../queue/dispatcher.ts';
import { createQueue } from '../queue/queue.ts';
import { openSqliteStore } from '../queue/sqlite.ts';
import { type Folders, createFolders, wipeTemp } from '../store/folders.ts';
import { sweepLeftovers } from '../store/leftovers.ts';
import { readUserTokens } from '../store/user-tokens.ts';
import { createUsers } from '../store/users.ts';
import { engineStarter } from '../worker/process-link.ts';
import { createApp } from './app.ts';
import { withAssetIds } from './asset-outputs.ts';
import { startDevReload } from './dev-reload.ts';
import { type Events, createEvents } from './events.ts';
import type { Core, FaceMaker } from './face.ts';
import { addressOf, listen } from './listen.ts';
import { createLog } from './log.ts';
import { servePage } from './page.ts';
import { refuseReachable } from './reachable.ts';
import { createGuard } from './security.ts';
import { submitPrompt } from './submit.ts';
import { createWebSockets } from './websockets.ts';

/** What the server is given from outside its layer. */
export interface ServerParts {
  readonly builtinNodes: () => Promise<NodeRegistry>;
  /** The folder of the built page. */
  readonly webRoot: () => Promise<string>;
}

export interface RunningServer {
  readonly url: string;
  /** Resolves when nodes are loaded and an engine is ready. */
  readonly ready: Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server with these faces; resolves as soon as it answers. */
export async function startServer(
  config: Config,
  parts: ServerParts,
  faceMakers: readonly FaceMaker[],
): Promise<RunningServer> {
  const log = createLog({
    level: config.printServer ? config.logLevel : 'ERROR',
    stream: config.logToStdout ? process.stdout : process.stderr,
  });
  for (const notice of config.notices) log('INFO', notice);
  const folders = createFolders(config.engine.folders);
  const database = config.database ?? join(folders.user, 'noodle.db');
  refuseReachable(folders, { ...config, database });
  wipeTemp(folders);
  const store = openSqliteStore(database, config);
  const queue = createQueue(store);
  const events = createEvents({ queue, boot: randomUUID().slice(0, 8) });
  const assets = config.assets ? openAssets(config, folders, events, log) : undefined;

  const builtin = deferred<NodeRegistry>();
  const packFolders = (): string[] =>
    findPacks({
      directories: folders.modelPaths('custom_nodes') ?? [],
      packs: config.engine.packs,
    });
  const packs = createPackHost({
    folders: config.engine.folders,
    find: packFolders,
    builtin: builtin.promise,
    log,
  });
  const nodes = (): Promise<NodeRegistry> => packs.nodes();
  const engineReady = deferred<void>();
  const startEngine = engineStarter(config.engine, packs, log);
  const dispatcher = createDispatcher({
    queue,
    engines: config.engines,
    interruptGrace: config.interruptGrace,
    startEngine: assets === undefined ? startEngine : withAssetIds(startEngine, assets, folders),
    onMessage: (job, message) => events.tell.message(job, message),
    onFinished: (job) => events.tell.finished(job),
    onReady: () => engineReady.resolve(),
    log,
  });

  const guard = createGuard({
    ...config,
    userTokens: config.userTokens === undefined ? undefined : readUserTokens(config.userTokens),
  });
  const sockets = createWebSockets(guard);
  const newId = randomUUID;
  const { now } = Date;
  const submitOptions = { queue, nodes, source: folders, newId, now };
  const core: Core = {
    config,
    folders,
    users: createUsers(folders.user, config),
    nodes,
    submit: (body, sender) => submitPrompt(body, submitOptions, sender),
    queue,
    dispatcher,
    events,
    packs,
    packFolders,
    assets,
    webhookRows: store.webhooks,
    websockets: () => sockets.size(),
    log,
    now,
    newId,
  };
  const faces = faceMakers.map((make) => make(core));
  for (const { on } of faces) if (on !== undefined) events.listen(on);
  // After the answer to whoever changed the queue: starting a job takes its own transaction.
  queue.watch({ changed: () => void setImmediate(() => dispatcher.pump()) });

  const page = servePage(parts.webRoot);
  const servers = await listen(createApp({ ...config, guard, faces, page, log }), config);
  for (const server of servers) sockets.accept(server, faces);
  dispatcher.start();
  for (const face of faces) face.start?.();
  void sweepLeftovers([folders.output, folders.input, folders.user]);
  builtin.resolve(parts.builtinNodes());
  const stopDevReload = config.devReload
    ? startDevReload({ packs, packFolders, dispatcher, events, log })
    : undefined;
  const nodesKnown = nodes();
  nodesKnown.catch((error: Error) => log('CRITICAL', `nodes: ${error.stack ?? error.message}`));

  const url = addressOf(servers[0], config);
  log('INFO', `Starting server\n\nTo see the GUI go to: ${url}`);
  return {
    url,
    ready: Promise.all([nodesKnown, engineReady.promise]).then(() => undefined),
    stop: async () => {
      sockets.close();
      for (const face of faces) face.stop?.();
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
      stopDevReload?.();
      packs.close();
      await dispatcher.stop();
      await assets?.stop();
      store.close();
      wipeTemp(folders);
    },
  };
}

/** The assets, whose database lies beside the queue's; their news go to every client. */
function openAssets(
  { database, assetHashing }: Config,
  folders: Folders,
  events: Events,
  log: Log,
): Assets {
  const kept = database === undefined ? join(folders.user, 'assets.db') : `${database}-assets`;
  return createAssets({
    file: database === ':memory:' ? database : kept,
    roots: assetRoots(folders),
    hashing: assetHashing,
    scanAtStart: true,
    onEvent: (type, data) => events.tell.news(type, data),
    log,
  });
}

/** A promise and what settles it. */
function deferred<T>(): { promise: Promise<T>; resolve: (value: T | Promise<T>) => void } {
  let resolve: (value: T | Promise<T>) => void = () => undefined;
  const promise = new Promise<T>((settle) => (resolve = settle));
  // Whoever awaits it hears of a failure; nobody awaiting it yet is no reason to end the process.
  promise.catch(() => undefined);
  return { promise, resolve };
}
