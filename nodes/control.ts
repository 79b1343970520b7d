/** ControlNets and T2I-Adapters: loading them, and putting them with a picture on conditioning. */
import {
  combo,
  conditioning,
  float,
  image,
  inModule,
  mask,
  model,
  nullable,
  optional,
  socket,
  vae,
} from '../engine/node.ts';
import type { Image, Mask, NodeDefinition, Vae } from '../engine/node.ts';
import type { Application, ControlNet } from '../engine/values/control.ts';
import type { Conditioning } from '../engine/values/conditioning.ts';

const category = 'conditioning/controlnet';
const define = inModule('nodes', 'v1', {});
const defineExtra = inModule('comfy_extras.nodes_controlnet', 'v1', { category });

const controlNet = () => socket<ControlNet>('CONTROL_NET', undefined, ['source', 'kind']);
const strength = float({ default: 1, min: 0, max: 10, step: 0.01 });
const startPercent = float({ default: 0, min: 0, max: 1, step: 0.001 });
const endPercent = float({ default: 1, min: 0, max: 1, step: 0.001 });
const POSITIVE_NEGATIVE = [
  { type: 'CONDITIONING', name: 'positive' },
  { type: 'CONDITIONING', name: 'negative' },
];

/** The lists with a ControlNet on them; at strength 0 as they are. */
async function apply(
  lists: readonly Conditioning[],
  application: Application,
): Promise<Conditioning[]> {
  if (application.strength === 0) return [...lists];
  const { withControl } = await import('../engine/values/control.ts');
  return withControl(lists, application);
}

/** One ControlNet on both sides, during a part of the run. */
const applyToBoth = (given: {
  readonly positive: Conditioning;
  readonly negative: Conditioning;
  readonly control_net: ControlNet;
  readonly vae?: Vae | null;
  readonly image: Image;
  readonly mask?: Mask;
  readonly strength: number;
  readonly start_percent: number;
  readonly end_percent: number;
}): Promise<Conditioning[]> =>
  apply([given.positive, given.negative], {
    net: given.control_net,
    image: given.image,
    vae: given.vae,
    mask: given.mask,
    strength: given.strength,
    startPercent: given.start_percent,
    endPercent: given.end_percent,
  });

export const controlNetLoader = define({
  name: 'ControlNetLoader',
  displayName: 'Load ControlNet Model',
  category: 'loaders',
  description: 'Opens a ControlNet, Control-LoRA or T2I-Adapter.',
  inputs: { control_net_name: combo((source) => source.modelFiles('controlnet')) },
  outputs: [{ type: 'CONTROL_NET' }],
  async run({ control_net_name }, { services }) {
    const { loadControlNet } = await import('../engine/values/load-control.ts');
    return [await loadControlNet(services.folders.modelFile('controlnet', control_net_name))];
  },
});

export const diffControlNetLoader = define({
  name: 'DiffControlNetLoader',
  displayName: 'Load ControlNet Model (diff)',
  category: 'loaders',
  description: 'Opens a ControlNet whose file holds the difference from a model.',
  inputs: {
    model: model(),
    control_net_name: combo((source) => source.modelFiles('controlnet')),
  },
  outputs: [{ type: 'CONTROL_NET' }],
  async run({ model: base, control_net_name }, { services }) {
    const { loadControlNet } = await import('../engine/values/load-control.ts');
    return [await loadControlNet(services.folders.modelFile('controlnet', control_net_name), base)];
  },
});

export const controlNetApply = define({
  name: 'ControlNetApply',
  displayName: 'Apply ControlNet (OLD)',
  category,
  description: 'Steers by a picture; the negative side gets the same ControlNet while sampling.',
  deprecated: true,
  inputs: { conditioning: conditioning(), control_net: controlNet(), image: image(), strength },
  outputs: [{ type: 'CONDITIONING' }],
  run: ({ conditioning: list, control_net: net, image: picture, strength: weight }) =>
    apply([list], { net, image: picture, strength: weight, spreads: true }),
});

export const controlNetApplyAdvanced = define({
  name: 'ControlNetApplyAdvanced',
  displayName: 'Apply ControlNet',
  category,
  description: 'Steers both sides by a picture during a part of the run.',
  inputs: {
    positive: conditioning(),
    negative: conditioning(),
    control_net: controlNet(),
    image: image(),
    strength,
    start_percent: startPercent,
    end_percent: endPercent,
    vae: optional(vae()),
  },
  outputs: POSITIVE_NEGATIVE,
  run: applyToBoth,
});

/** The VAE is for ControlNets that take latents as hints. */
export const controlNetApplySd3 = inModule('comfy_extras.nodes_sd3', 'v3', { category })({
  name: 'ControlNetApplySD3',
  displayName: 'Apply Controlnet with VAE',
  description: 'Steers both sides by a picture during a part of the run.',
  deprecated: true,
  inputs: {
    positive: conditioning(),
    negative: conditioning(),
    control_net: controlNet(),
    vae: vae(),
    image: image(),
    strength,
    start_percent: startPercent,
    end_percent: endPercent,
  },
  outputs: POSITIVE_NEGATIVE,
  run: applyToBoth,
});

/** The kinds of hints that a union network knows, in its order. */
const unionTypes = [
  'openpose',
  'depth',
  'hed/pidi/scribble/ted',
  'canny/lineart/anime_lineart/mlsd',
  'normal',
  'segment',
  'tile',
  'repaint',
];

export const setUnionControlNetType = defineExtra({
  name: 'SetUnionControlNetType',
  description: 'Tells a union ControlNet what kind of picture it is given.',
  inputs: { control_net: controlNet(), type: combo(['auto', ...unionTypes]) },
  outputs: [{ type: 'CONTROL_NET' }],
  run: ({ control_net: net, type }) => {
    const index = unionTypes.indexOf(type);
    return [{ ...net, type: index < 0 ? undefined : index }];
  },
});

export const controlNetInpaintingAliMamaApply = defineExtra({
  name: 'ControlNetInpaintingAliMamaApply',
  description: 'Steers by a picture with a part to be painted anew.',
  inputs: {
    positive: conditioning(),
    negative: conditioning(),
    control_net: controlNet(),
    vae: nullable(vae()),
    image: image(),
    mask: mask(),
    strength,
    start_percent: startPercent,
    end_percent: endPercent,
  },
  outputs: POSITIVE_NEGATIVE,
  async run({ mask: painted, ...given }) {
    // only networks with a channel for the mask look at it
    if (!given.control_net.masked) return applyToBoth(given);
    const { keptPart } = await import('../engine/values/kept-part.ts');
    return applyToBoth({ ...given, ...keptPart(given.image, painted) });
  },
});

export const controlNodes: readonly NodeDefinition[] = [
  controlNetLoader,
  diffControlNetLoader,
  controlNetApply,
  controlNetApplyAdvanced,
  controlNetApplySd3,
  setUnionControlNetType,
  controlNetInpaintingAliMamaApply,
];
