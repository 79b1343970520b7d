/** Golden area `upscale`: upscale models on small pictures, whole and in tiles; picture encoders and style models. */
import { join } from 'node:path';
import { rows } from '../../../engine/array/batch.ts';
import { loadUpscaleModel } from '../../../engine/values/upscale-model.ts';
import { upscale } from '../../../engine/values/upscale.ts';
import { goldenFiles } from '../../support/golden.ts';
import { type CaseResult, type Comparison, type GoldenArea, compare } from '../area.ts';
import { goldenRuntime } from '../device.ts';
import { modelFile } from '../model-file.ts';
import { type GoldenCase, openCase } from '../open-case.ts';
import { visionOperations } from '../vision/vision.ts';

type VisionParams = Parameters<(typeof visionOperations)[string]>[0]['params'];

interface UpscaleParams {
  readonly op: string;
  readonly model: string;
  readonly scale: number;
  readonly architecture: string;
  readonly tiled: { readonly tile: number; readonly overlap: number };
}

const run = { runtime: goldenRuntime() };

async function upscaleCase(golden: GoldenCase<UpscaleParams>, dir: string): Promise<CaseResult> {
  const { params } = golden;
  const model = await loadUpscaleModel(modelFile(dir, 'upscale', params.model));
  const facts = [model.kind.name, model.scale].join();
  if (facts !== [params.architecture, params.scale].join()) {
    throw new Error(`${facts} was detected, expected ${params.architecture},${params.scale}`);
  }
  const image = golden.array('in.image');
  const check = async (name: string, got: ReturnType<typeof upscale>): Promise<Comparison> =>
    compare(name, await got, golden.array(name), golden.tolerance);
  const { tile: size, overlap } = params.tiled;
  const tiled = upscale(model, rows(image, 0, 1), run, { tile: { size, overlap } });
  const whole = upscale(model, image, run);
  return {
    comparisons: [await check('out.image', whole), await check('out.image.tiled', tiled)],
  };
}

export const area: GoldenArea = {
  name: 'upscale',
  list: async (dir) => goldenFiles(dir, '.safetensors').map((file) => file.slice(0, -12)),
  async run(dir, name): Promise<CaseResult> {
    const golden = await openCase<UpscaleParams & VisionParams>(join(dir, `${name}.safetensors`));
    const { op } = golden.params;
    if (op === 'upscale_model') return upscaleCase(golden, dir);
    return (
      visionOperations[op]?.(golden, dir) ?? { skip: `operation '${op}' is not supported yet` }
    );
  },
};
