/** ComfyUI's routes and its websocket. */
import { randomBytes } from 'node:crypto';
import type { Core, Face } from '../face.ts';
import { featureFlags } from './features.ts';
import { createHub } from './hub.ts';
import { createRelay } from './relay.ts';
import { comfyRoutes } from './routes.ts';

const MAX_SID = 256;

/** What ComfyUI's page, and whatever else speaks to ComfyUI, finds. */
export function comfyFace(core: Core): Face {
  const { config, queue, dispatcher } = core;
  const features = featureFlags({
    maxUploadSize: config.maxUploadSize,
    assets: config.assets,
    extra: config.featureFlags,
  });
  const hub = createHub({
    features,
    remaining: () => queue.remaining(),
    activeNode: (sid) => dispatcher.activeNode(sid),
  });
  const relay = createRelay(hub);
  return {
    name: 'comfy',
    routes: comfyRoutes(core, hub, features),
    sockets: {
      paths: ['/ws', '/api/ws'],
      attach: (socket, query) => {
        const sid = query.get('clientId')?.slice(0, MAX_SID);
        hub.attach(socket, sid || randomBytes(16).toString('hex'));
      },
    },
    on: {
      queue: () => hub.broadcastStatus(),
      message: (job, message) => relay.message(job, message),
      finished: (job) => relay.finished(job),
      news: (type, data) => hub.send('all', type, data),
    },
  };
}
