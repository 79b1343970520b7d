/** What all faces stand on, each part made from those above it. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Assets, createAssets } from '../assets/client.ts';
import { assetRoots } from '../assets/roots.ts';
import type { Config, EngineSettings } from '../config.ts';
import type { NodeRegistry } from '../graph/definition.ts';
import type { Log } from '../log.ts';
import { findPacks } from '../packs/find-packs.ts';
import { createPackHost } from '../packs/pack-host.ts';
import { createDispatcher } from '../queue/dispatcher.ts';
import { createQueue } from '../queue/queue.ts';
import { openSqliteStore } from '../queue/sqlite.ts';
import { type Folders, createFolders, wipeTemp } from '../store/folders.ts';
import { sweepLeftovers } from '../store/leftovers.ts';
import { createUsers } from '../store/users.ts';
import type { StartEngine } from '../worker/link.ts';
import { type Inventory, machineInventory, planEngines } from '../worker/engines.ts';
import { engineStarter } from '../worker/process-link.ts';
import { withAssetIds } from './asset-outputs.ts';
import { type Events, createEvents } from './events.ts';
import type { Core } from './face.ts';
import type { ServerLog } from './log.ts';
import { refuseReachable } from './reachable.ts';
import type * as Submit from './submit.ts';

export interface RunningCore {
  readonly core: Core;
  /** Starts engines, and loads what is heavy; to be called when the server listens. */
  start(builtinNodes: () => Promise<NodeRegistry>): void;
  /** Resolves when the devices are chosen that engines run on; rejects with DEVICE where one is not there. */
  readonly planned: Promise<void>;
  /** Resolves when nodes are loaded and an engine is ready. */
  readonly ready: Promise<void>;
  stop(): Promise<void>;
}

/** The core of a server; nothing runs before `start`. Throws what makes a start impossible. */
export function createCore(
  config: Config,
  log: ServerLog,
  websockets: Core['websockets'],
): RunningCore {
  const folders = createFolders(config.engine.folders, (text) => log('WARNING', text));
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
  const sweep = (): void =>
    void sweepLeftovers([folders.output, folders.input, folders.user, folders.temp]);
  const starter = (settings: EngineSettings): StartEngine => {
    const start = withSweep(engineStarter(settings, packs, log), sweep);
    return assets === undefined ? start : withAssetIds(start, assets, folders);
  };
  const dispatcher = createDispatcher({
    queue,
    interruptGrace: config.interruptGrace,
    onMessage: (job, message) => events.tell.message(job, message),
    onFinished: (job) => events.tell.finished(job),
    onReady: () => engineReady.resolve(),
    log,
  });
  // When whoever changes the queue is done with it, and before it is answered: an engine that begins
  // works while the answer is written.
  queue.watch({ changed: () => queueMicrotask(() => dispatcher.pump()) });

  let machine: Promise<Inventory> | undefined;
  const inventory = () => (machine ??= machineInventory());
  const engines = deferred<readonly EngineSettings[]>();
  const [newId, now] = [randomUUID, Date.now];
  // Kept: asked again, the loader's thread would be asked again too.
  let submitting: Promise<typeof Submit> | undefined;
  const loadSubmit = () => (submitting ??= import('./submit.ts'));
  const submitOptions = { queue, nodes, source: folders, newId, now };
  const core: Core = {
    config,
    folders,
    users: createUsers(folders.user, config),
    nodes,
    submit: async (body, sender) => {
      const { submitPrompt } = await loadSubmit();
      return submitPrompt(body, submitOptions, sender);
    },
    refusalOf: async (body) => (await loadSubmit()).refusalOf(body, submitOptions),
    queue,
    dispatcher,
    inventory,
    events,
    packs,
    packFolders,
    assets,
    webhookRows: store.webhooks,
    batches: store.batches,
    websockets,
    log,
    now,
    newId,
  };
  const nodesKnown = nodes();
  // No prompt is looked at before; the first one finds it loaded.
  nodesKnown
    .then(loadSubmit)
    .catch((error: Error) => log('CRITICAL', `nodes: ${error.stack ?? error.message}`));
  const planned = engines.promise.then((plan) => {
    for (const settings of plan) dispatcher.join(starter(settings));
  });
  // Whoever started the server hears of it.
  planned.catch(() => undefined);
  let devReload: Promise<() => void> | undefined;
  return {
    core,
    start: (builtinNodes) => {
      engines.resolve(planEngines(config, inventory));
      sweep();
      builtin.resolve(builtinNodes());
      if (!config.devReload) return;
      devReload = import('./dev-reload.ts').then(({ startDevReload }) =>
        startDevReload({ packs, packFolders, dispatcher, events, log }),
      );
    },
    planned,
    ready: Promise.all([nodesKnown, engineReady.promise]).then(() => undefined),
    stop: async () => {
      (await devReload)?.();
      packs.close();
      await dispatcher.stop();
      await assets?.stop();
      store.close();
      wipeTemp(folders);
    },
  };
}

/** Starts engines as `start` does; what one was writing when it ended goes away with it. */
const withSweep =
  (start: StartEngine, sweep: () => void): StartEngine =>
  (events) =>
    start({
      message: (message) => events.message(message),
      exit: (how) => {
        sweep();
        events.exit(how);
      },
    });

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
