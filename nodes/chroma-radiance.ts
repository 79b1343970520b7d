/** Options of Chroma Radiance. */
import { boolean, defineNode, float, int, model } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';

const sigma = (value: number, tooltip: string) =>
  float({ default: value, min: 0, max: 1, tooltip });

/**
 * In the reference they say how many patches its last layers paint at a time, at which noise levels: memory, no
 * numbers. Here these layers always run in parts (engine/arch/chroma-radiance.ts).
 */
export const chromaRadianceOptions = defineNode({
  name: 'ChromaRadianceOptions',
  category: 'model_patches/chroma_radiance',
  description:
    'Options of Chroma Radiance. They change no picture, only memory; here it is kept small whatever they say.',
  module: 'comfy_extras.nodes_chroma_radiance',
  form: 'v3',
  inputs: {
    model: model({}),
    preserve_wrapper: boolean({
      default: true,
      tooltip: 'Keeps what other nodes put around the model.',
    }),
    start_sigma: sigma(1, 'The first noise level that the options count for.'),
    end_sigma: sigma(0, 'The last one.'),
    nerf_tile_size: int({
      default: -1,
      min: -1,
      tooltip: 'Patches that are painted at a time; -1: as many as usual; 0: all.',
    }),
  },
  outputs: [{ type: 'MODEL' }],
  run: ({ model }) => [model],
});

export const chromaRadianceNodes: readonly NodeDefinition[] = [chromaRadianceOptions];
