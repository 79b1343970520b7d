/**
 * Stable Zero123: Stable Diffusion 1 that paints a pictured thing from another side (Liu et al. 2023,
 * "Zero-1-to-3"). In place of text it attends to what CLIP sees of the picture and the way the camera moved,
 * through a projection (`cc_projection`) that lies beside the UNet in the file.
 */
import { linear } from '../../tensor/layers.ts';
import { defineFamily } from '../family.ts';
import { type UNetConfig, detectUNet } from '../unet.ts';
import { sd1 } from './sd1.ts';
import { contextWidth, unetNetwork } from './unet-network.ts';

const projection = 'cc_projection';

interface Zero123Config extends UNetConfig {
  /** Width of a view before it is projected. */
  readonly viewWidth: number;
}

export const zero123 = defineFamily<Zero123Config>({
  ...sd1,
  name: 'zero123',
  title: 'Stable Zero123',
  detect({ model, file }) {
    const config = detectUNet(model);
    if (!config || config.contextWidth === undefined || config.temporal) return undefined;
    const { inChannels, linearProjection, admWidth } = config;
    if (inChannels !== 8 || linearProjection || admWidth !== undefined) return undefined;
    if (!file.has(`${projection}.weight`)) return undefined;
    return { ...config, viewWidth: file.shape(`${projection}.weight`)[1] };
  },
  besideModel: [`${projection}.`],
  visionPrefix: 'cond_stage_model.model.visual.',
  extraChannels: () => 'instruct',
  contextWidth,
  projection: {
    width: ({ viewWidth }) => viewWidth,
    network(g, { viewWidth }) {
      const cross = g.input('cross', 'f32', ['batch', 'tokens', viewWidth]);
      return { cross: linear(g.weights.at(projection), cross) };
    },
  },
  network: (g, config) => unetNetwork(g, config),
});
