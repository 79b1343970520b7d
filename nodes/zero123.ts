/** Conditioning of Stable Zero123: a thing seen from another side. */
import { zeros } from '../engine/array/nd.ts';
import { float, image, inModule, int, vae } from '../engine/node.ts';
import type { Context, NodeDefinition } from '../engine/node.ts';
import { cells } from '../engine/values/media.ts';
import type { Pictured, View } from '../engine/values/zero123.ts';
import { clipVision } from './vision.ts';

const define = inModule('comfy_extras.nodes_stable3d', 'v3', {
  category: 'conditioning/3d_models',
  outputs: [
    { type: 'CONDITIONING', name: 'positive' },
    { type: 'CONDITIONING', name: 'negative' },
    { type: 'LATENT', name: 'latent' },
  ],
});

const side = () => int({ default: 256, min: 16, max: 16384, step: 8 });
const degrees = () => float({ default: 0, min: -180, max: 180, step: 0.1, round: false });

const pictured = {
  clip_vision: clipVision({}),
  init_image: image({}),
  vae: vae({}),
  width: side(),
  height: side(),
  batch_size: int({ default: 1, min: 1, max: 4096 }),
  elevation: degrees(),
  azimuth: degrees(),
};

async function conditions(of: Pictured, views: readonly View[], { services, signal }: Context) {
  const { viewConditions } = await import('../engine/values/zero123.ts');
  return viewConditions(of, views, { runtime: services.runtime, signal });
}

const emptyLatents = (count: number, { width, height }: Pictured) =>
  zeros([count, 4, cells(height), cells(width)]);

export const zero123Conditioning = define({
  name: 'StableZero123_Conditioning',
  description: 'Tells Stable Zero123 what is pictured and where the camera goes.',
  inputs: pictured,
  async run({ clip_vision, init_image, batch_size, elevation, azimuth, ...rest }, context) {
    const of = { ...rest, vision: clip_vision, picture: init_image };
    const { positive, negative } = await conditions(of, [{ elevation, azimuth }], context);
    return [positive, negative, { samples: emptyLatents(batch_size, of) }];
  },
});

export const zero123ConditioningBatched = define({
  name: 'StableZero123_Conditioning_Batched',
  description:
    'The same for several views of one thing, each a step further; all of the same noise.',
  inputs: {
    ...pictured,
    elevation_batch_increment: degrees(),
    azimuth_batch_increment: degrees(),
  },
  async run({ clip_vision, init_image, batch_size, elevation, azimuth, ...rest }, context) {
    const of = { ...rest, vision: clip_vision, picture: init_image };
    const views: View[] = [{ elevation, azimuth }];
    while (views.length < batch_size) {
      const last = views[views.length - 1];
      views.push({
        elevation: last.elevation + rest.elevation_batch_increment,
        azimuth: last.azimuth + rest.azimuth_batch_increment,
      });
    }
    const { positive, negative } = await conditions(of, views, context);
    const batch_index = views.map(() => 0);
    return [positive, negative, { samples: emptyLatents(batch_size, of), batch_index }];
  },
});

export const zero123Nodes: readonly NodeDefinition[] = [
  zero123Conditioning,
  zero123ConditioningBatched,
];
