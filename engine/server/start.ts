/** Puts the server together and starts it: listening comes first, everything heavy after that. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Express } from 'express';
import { type Assets, createAssets } from '../assets/client.ts';
import { assetRoots } from '../assets/roots.ts';
import type { Config } from '../config.ts';
import type { NodeRegistry } from '../graph/definition.ts';
import { findPacks } from '../packs/find-packs.ts';
import { createPackHost } from '../packs/pack-host.ts';
import { type Dispatcher, createDispatcher } from '../queue/dispatcher.ts';
import { engineStarter } from '../worker/process-link.ts';
import { type Queue, createQueue } from '../queue/queue.ts';
import { openSqliteStore } from '../queue/sqlite.ts';
import { type Folders, createFolders, wipeTemp } from '../store/folders.ts';
import { sweepLeftovers } from '../store/leftovers.ts';
import { readUserTokens } from '../store/user-tokens.ts';
import { createApp } from './app.ts';
import { withAssetIds } from './asset-outputs.ts';
import { startDevReload } from './dev-reload.ts';
import { featureFlags } from './comfy/features.ts';
import { type Hub, createHub } from './comfy/hub.ts';
import { createLog } from './log.ts';
import { servePage } from './page.ts';
import { createRelay } from './comfy/relay.ts';
import { serverRoutes } from './comfy/comfy.ts';
import { refuseReachable } from './reachable.ts';
import { createGuard } from './security.ts';
import { createPublicApi } from './v1/index.ts';
import { acceptWebSockets } from './comfy/websocket.ts';

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

/** Starts a server; resolves as soon as it answers. */
export async function startServer(config: Config, parts: ServerParts): Promise<RunningServer> {
  const log = createLog({
    level: config.printServer ? config.logLevel : 'ERROR',
    stream: config.logToStdout ? process.stdout : process.stderr,
  });
  for (const notice of config.notices) log('INFO', notice);
  const folders = createFolders(config.engine.folders, (text) => log('WARNING', text));
  const database = config.database ?? join(folders.user, 'noodle.db');
  refuseReachable(folders, { ...config, database });
  wipeTemp(folders);
  const store = openSqliteStore(database, config);

  const queue: Queue = createQueue(store, {
    onChange: () => {
      hub.broadcastStatus();
      publicApi.queueChanged();
      // After the answer to whoever changed the queue: starting a job takes its own transaction.
      setImmediate(() => dispatcher.pump());
    },
    onLeave: (ids) => publicApi.jobsLeft(ids),
  });
  const assets = config.assets ? openAssets(config, folders, () => hub, log) : undefined;
  const features = () =>
    featureFlags({
      maxUploadSize: config.maxUploadSize,
      assets: config.assets,
      extra: config.featureFlags,
    });
  const hub: Hub = createHub({
    features,
    remaining: () => queue.remaining(),
    activeNode: (sid) => dispatcher.activeNode(sid),
  });
  const relay = createRelay(hub);
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
  const engineReady = deferred<void>();
  const startEngine = engineStarter(config.engine, packs, log);
  const dispatcher: Dispatcher = createDispatcher({
    queue,
    engines: config.engines,
    interruptGrace: config.interruptGrace,
    startEngine: assets === undefined ? startEngine : withAssetIds(startEngine, assets, folders),
    onMessage: (job, message) => {
      relay.message(job, message);
      publicApi.engineMessage(job, message);
    },
    onFinished: (job) => relay.finished(job),
    onReady: () => engineReady.resolve(),
    log,
  });

  const publicApi = createPublicApi({
    ...{ config, folders, log, newId: randomUUID, now: Date.now, nodes: () => packs.nodes() },
    ...{ queue: () => queue, dispatcher: () => dispatcher, websockets: () => hub.size() },
  });
  const guard = createGuard({
    ...config,
    userTokens: config.userTokens === undefined ? undefined : readUserTokens(config.userTokens),
  });
  const app = createApp({
    ...config,
    guard,
    first: publicApi.first,
    admitted: publicApi.admitted,
    routes: [
      ...serverRoutes({
        ...{ config, folders, assets, queue, dispatcher, hub, log, features },
        ...{ nodes: () => packs.nodes(), packs, packFolders },
        newId: randomUUID,
        now: Date.now,
      }),
      { at: 'root', router: publicApi.routes },
    ],
    page: servePage(parts.webRoot),
    log,
  });
  const servers = await listen(app, config);
  for (const server of servers) acceptWebSockets(server, hub, guard);
  dispatcher.start();
  publicApi.start();
  void sweepLeftovers([folders.output, folders.input, folders.user]);
  builtin.resolve(parts.builtinNodes());
  const stopDevReload = config.devReload
    ? startDevReload({ packs, packFolders, dispatcher, hub, log })
    : undefined;
  const nodesKnown = packs.nodes();
  nodesKnown.catch((error: Error) => log('CRITICAL', `nodes: ${error.stack ?? error.message}`));

  const url = addressOf(servers[0], config);
  log('INFO', `Starting server\n\nTo see the GUI go to: ${url}`);
  return {
    url,
    ready: Promise.all([nodesKnown, engineReady.promise]).then(() => undefined),
    stop: async () => {
      hub.closeAll();
      publicApi.stop();
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
  hub: () => Hub,
  log: (level: string, text: string) => void,
): Assets {
  const kept = database === undefined ? join(folders.user, 'assets.db') : `${database}-assets`;
  return createAssets({
    file: database === ':memory:' ? database : kept,
    roots: assetRoots(folders),
    hashing: assetHashing,
    scanAtStart: true,
    onEvent: (type, data) => hub().send('all', type, data),
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

/** One server per address; with port 0 the first one's port is everybody's. */
async function listen(app: Express, { listen: addresses, port, tls }: Config): Promise<Server[]> {
  const servers: Server[] = [];
  for (const address of addresses) {
    const server =
      tls === undefined
        ? createServer(app)
        : createTlsServer(
            { key: readFileSync(tls.keyFile), cert: readFileSync(tls.certFile) },
            app,
          );
    const shared = servers.length > 0 ? (servers[0].address() as AddressInfo).port : port;
    server.listen({ port: shared, host: address, ipv6Only: address.includes(':') });
    await once(server, 'listening');
    servers.push(server);
  }
  return servers;
}

function addressOf(server: Server, { listen: [host], tls }: Config): string {
  const { port } = server.address() as AddressInfo;
  const shown = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${tls === undefined ? 'http' : 'https'}://${shown.includes(':') ? `[${shown}]` : shown}:${port}`;
}
