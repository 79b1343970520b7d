/** All route modules and where they are mounted. */
import { join } from 'node:path';
import type { Assets } from '../../assets/client.ts';
import type { Config } from '../../config.ts';
import type { NodeRegistry } from '../../graph/definition.ts';
import type { Dispatcher } from '../../queue/dispatcher.ts';
import type { Queue } from '../../queue/queue.ts';
import type { PackHost } from '../../packs/pack-host.ts';
import { createPictures } from '../../media/picture-thread.ts';
import type { Folders } from '../../store/folders.ts';
import { createUsers } from '../../store/users.ts';
import type { MountedRoutes } from '../app.ts';
import type { Hub } from './hub.ts';
import type { Log } from '../log.ts';
import type { FeatureFlags } from '../../protocol.ts';
import { assetRoutes, assetScanRoutes } from './assets.ts';
import { extensionFileRoutes, extensionRoutes } from './extensions.ts';
import { historyRoutes } from './history.ts';
import { internalRoutes } from './internal.ts';
import { jobRoutes } from './jobs.ts';
import { modelRoutes } from './models.ts';
import { objectInfoRoutes } from './object-info.ts';
import { packRoutes } from './packs.ts';
import { promptRoutes } from './prompt.ts';
import { queueRoutes } from './queue.ts';
import { systemRoutes } from './system.ts';
import { templateRoutes } from './templates.ts';
import { uploadRoutes } from './upload.ts';
import { userdataRoutes } from './userdata.ts';
import { userRoutes } from './users.ts';
import { viewRoutes } from './view.ts';
import { workflowRoutes } from './workflows.ts';

export interface RouteOptions {
  readonly config: Config;
  readonly folders: Folders;
  /** Undefined where they are turned off. */
  readonly assets: Assets | undefined;
  readonly queue: Queue;
  readonly dispatcher: Dispatcher;
  readonly hub: Hub;
  readonly log: Log;
  readonly features: () => FeatureFlags;
  readonly nodes: () => Promise<NodeRegistry>;
  readonly packs: Pick<PackHost, 'reports'>;
  /** Folders of the packs that are in use. */
  readonly packFolders: () => readonly string[];
  readonly newId: () => string;
  readonly now: () => number;
}

/** The routes of a server, in the order they are tried. */
export function serverRoutes(options: RouteOptions): MountedRoutes[] {
  const { config, folders, assets, queue, dispatcher, hub, log, features, nodes } = options;
  const { packs, packFolders } = options;
  const { argv, multiUser, defaultHash } = config;
  // The option is in MB and may be any fraction of one.
  const maxUploadBytes = Math.floor(config.maxUploadSize);
  const { program } = config.engine.folders;
  const users = createUsers(folders.user, { multiUser });
  const pictures = createPictures();
  const both = [
    promptRoutes({ ...options, source: folders }),
    queueRoutes({ queue, dispatcher }),
    historyRoutes(queue),
    assetScanRoutes({ assets }),
    objectInfoRoutes({ nodes, source: folders, log }),
    systemRoutes({ argv, features, devices: () => dispatcher.devices() }),
    viewRoutes({ folders, assets, pictures }),
    uploadRoutes({ folders, maxUploadBytes, hash: defaultHash, assets, users, pictures }),
    modelRoutes({ folders, pictures }),
    userRoutes({ users }),
    userdataRoutes({ users }),
    packRoutes({ packFolders, program }),
    extensionRoutes({ packs, webRoot: config.webRoot }),
  ];
  const root = [
    internalRoutes({ folders, log, hub }),
    extensionFileRoutes({ packs }),
    workflowRoutes({ root: join(program, 'workflows') }),
    templateRoutes({ root: join(program, 'workflows'), webRoot: config.webRoot }),
  ];
  const { assetHashing: hashing } = config;
  const api = [
    jobRoutes({ queue, dispatcher }),
    assetRoutes({ assets, users, hashing, temp: folders.temp, maxUploadBytes }),
  ];
  return [
    ...both.map((router) => ({ at: 'both' as const, router })),
    ...root.map((router) => ({ at: 'root' as const, router })),
    ...api.map((router) => ({ at: 'api' as const, router })),
  ];
}
