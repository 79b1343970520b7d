/** Nodes that leave blocks of diffusion transformers out to guide by what they add. */
import { float, inModule, model, string } from '../engine/node.ts';
import type { Model, NodeDefinition } from '../engine/node.ts';
import { guided } from './guidance.ts';

const category = 'advanced/guidance';
const outputs = [{ type: 'MODEL' }];
const common = { category, outputs, experimental: true };
const define = inModule('comfy_extras.nodes_slg', 'v3', common);

const layers = () => string({ default: '7, 8, 9', multiline: false });
const percent = (value: number) => float({ default: value, min: 0, max: 1, step: 0.001 });
const scale = float({ default: 3, min: 0, max: 10, step: 0.1 });

interface Given {
  readonly model: Model;
  readonly scale: number;
  readonly start_percent: number;
  readonly end_percent: number;
  readonly double_layers: string;
  readonly single_layers?: string;
  readonly rescaling_scale?: number;
}

async function skipLayers({ model, scale, ...given }: Given): Promise<[Model]> {
  const { skipGuidance } = await import('../engine/values/skip-layers.ts');
  const layers = {
    double: given.double_layers,
    single: given.single_layers ?? '',
    startPercent: given.start_percent,
    endPercent: given.end_percent,
  };
  const hooks = skipGuidance(model, layers, { scale, rescale: given.rescaling_scale ?? 0 });
  return hooks ? guided(model, hooks) : [model];
}

export const skipLayerNodes: readonly NodeDefinition[] = [
  inModule(
    'comfy_extras.nodes_sd3',
    'v3',
    common,
  )({
    name: 'SkipLayerGuidanceSD3',
    inputs: {
      model: model({}),
      layers: layers(),
      scale,
      start_percent: percent(0.01),
      end_percent: percent(0.15),
    },
    run: ({ layers, ...given }) => skipLayers({ ...given, double_layers: layers }),
  }),
  define({
    name: 'SkipLayerGuidanceDiT',
    description: 'Generic version of SkipLayerGuidance node that can be used on every DiT model.',
    inputs: {
      model: model({}),
      double_layers: layers(),
      single_layers: layers(),
      scale,
      start_percent: percent(0.01),
      end_percent: percent(0.15),
      rescaling_scale: float({ default: 0, min: 0, max: 10, step: 0.01 }),
    },
    run: skipLayers,
  }),
  define({
    name: 'SkipLayerGuidanceDiTSimple',
    description:
      'Simple version of the SkipLayerGuidanceDiT node that only modifies the uncond pass.',
    inputs: {
      model: model({}),
      double_layers: layers(),
      single_layers: layers(),
      start_percent: percent(0),
      end_percent: percent(1),
    },
    async run({ model, ...given }) {
      const { skipNegative } = await import('../engine/values/skip-layers.ts');
      const hooks = skipNegative(model, {
        double: given.double_layers,
        single: given.single_layers,
        startPercent: given.start_percent,
        endPercent: given.end_percent,
      });
      return hooks ? guided(model, hooks) : [model];
    },
  }),
];
