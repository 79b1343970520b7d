/** Golden area `upscale`: picture encoders and style models. */
import { join } from 'node:path';
import { goldenFiles } from '../../support/golden.ts';
import type { GoldenArea } from '../area.ts';
import { openCase } from '../open-case.ts';
import { visionOperations } from '../vision/vision.ts';

type Params = Parameters<(typeof visionOperations)[string]>[0]['params'];

export const area: GoldenArea = {
  name: 'upscale',
  list: async (dir) => goldenFiles(dir, '.safetensors').map((file) => file.slice(0, -12)),
  async run(dir, name) {
    const golden = await openCase<Params>(join(dir, `${name}.safetensors`));
    const { op } = golden.params;
    return (
      visionOperations[op]?.(golden, dir) ?? { skip: `operation '${op}' is not supported yet` }
    );
  },
};
