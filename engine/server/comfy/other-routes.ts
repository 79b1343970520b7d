/** The routes of ComfyUI's face that are not needed to run prompts; see routes.ts. */
import { join } from 'node:path';
import { Router } from 'express';
import { createPictures } from '../../media/picture-thread.ts';
import type { Core } from '../face.ts';
import type { Hub } from './hub.ts';
import { assetRoutes, assetScanRoutes } from './assets.ts';
import { extensionFileRoutes, extensionRoutes } from './extensions.ts';
import { historyRoutes } from './history.ts';
import { internalRoutes } from './internal.ts';
import { jobRoutes } from './jobs.ts';
import { modelRoutes } from './models.ts';
import { objectInfoRoutes } from './object-info.ts';
import { packRoutes } from './packs.ts';
import { templateRoutes } from './templates.ts';
import { uploadRoutes } from './upload.ts';
import { userdataRoutes } from './userdata.ts';
import { userRoutes } from './users.ts';
import { viewRoutes } from './view.ts';
import { workflowRoutes } from './workflows.ts';

/** Routers for each place that routes are mounted at (`MountedRoutes`), their routes in the order they are tried. */
export function otherRoutes(core: Core, hub: Hub): Record<'both' | 'root' | 'api', Router> {
  const { config, folders, assets, users, queue, dispatcher, log, nodes, packs, packFolders } =
    core;
  // The option is in MB and may be any fraction of one.
  const maxUploadBytes = Math.floor(config.maxUploadSize);
  const { program } = config.engine.folders;
  const { assetHashing: hashing, defaultHash: hash, webRoot } = config;
  const pictures = createPictures();
  return {
    both: Router().use(
      historyRoutes(queue),
      assetScanRoutes({ assets }),
      objectInfoRoutes({ nodes, source: folders, log }),
      viewRoutes({ folders, assets, pictures }),
      uploadRoutes({ folders, maxUploadBytes, hash, assets, users, pictures }),
      modelRoutes({ folders, pictures }),
      userRoutes({ users }),
      userdataRoutes({ users }),
      packRoutes({ packFolders, program }),
      extensionRoutes({ packs, webRoot }),
    ),
    root: Router().use(
      internalRoutes({ folders, log, hub }),
      extensionFileRoutes({ packs }),
      workflowRoutes({ root: join(program, 'workflows') }),
      templateRoutes({ root: join(program, 'workflows'), webRoot }),
    ),
    api: Router().use(
      jobRoutes({ queue, dispatcher }),
      assetRoutes({ assets, users, hashing, temp: folders.temp, maxUploadBytes }),
    ),
  };
}
