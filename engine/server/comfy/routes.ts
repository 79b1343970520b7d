/** All route modules of ComfyUI's face and where they are mounted. */
import { join } from 'node:path';
import { createPictures } from '../../media/picture-thread.ts';
import type { Core, MountedRoutes } from '../face.ts';
import type { Hub } from './hub.ts';
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

/** The routes of ComfyUI, in the order they are tried. */
export function comfyRoutes(core: Core, hub: Hub, features: FeatureFlags): MountedRoutes[] {
  const { config, folders, assets, users, queue, dispatcher, log, nodes, packs, packFolders } =
    core;
  const { argv, defaultHash } = config;
  // The option is in MB and may be any fraction of one.
  const maxUploadBytes = Math.floor(config.maxUploadSize);
  const { program } = config.engine.folders;
  const pictures = createPictures();
  const both = [
    promptRoutes(core),
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
