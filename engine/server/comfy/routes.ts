/**
 * The routes of ComfyUI's face and where they are mounted. What runs prompts is there from the start;
 * everything else is loaded by the first request that these do not answer.
 */
import type { FeatureFlags } from '../../protocol.ts';
import type { Core, MountedRoutes } from '../face.ts';
import { lazily } from '../lazily.ts';
import type { Hub } from './hub.ts';
import type { otherRoutes } from './other-routes.ts';
import { promptRoutes } from './prompt.ts';
import { queueRoutes } from './queue.ts';
import { systemRoutes } from './system.ts';

/** The routes of ComfyUI, in the order they are tried. */
export function comfyRoutes(core: Core, hub: Hub, features: FeatureFlags): MountedRoutes[] {
  const { queue, dispatcher } = core;
  const { argv } = core.config;
  let loaded: Promise<ReturnType<typeof otherRoutes>> | undefined;
  const others = () =>
    (loaded ??= import('./other-routes.ts').then(({ otherRoutes }) => otherRoutes(core, hub)));
  return [
    { at: 'both', router: promptRoutes(core) },
    { at: 'both', router: queueRoutes({ queue, dispatcher }) },
    {
      at: 'both',
      router: systemRoutes({ argv, features, engines: () => dispatcher.states() }),
    },
    ...(['both', 'root', 'api'] as const).map((at) => ({
      at,
      router: lazily(async () => (await others())[at]),
    })),
  ];
}
