/** Blocks that are left out, against ComfyUI 0.3.64, and guidance by them. */
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type NDArray, zeros } from '../../../engine/array/nd.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { sampleCustom } from '../../../engine/sampling/driver.ts';
import { cfgGuider } from '../../../engine/sampling/guidance/cfg.ts';
import type { GuidanceHooks } from '../../../engine/sampling/guidance/hooks.ts';
import { samplerByName } from '../../../engine/sampling/samplers/table.ts';
import { type Model, diffusion } from '../../../engine/values/model.ts';
import { skipGuidance, skipNegative } from '../../../engine/values/skip-layers.ts';
import { skippedBlocks } from '../../../engine/patch/skip-blocks.ts';
import { skipLayerNodes } from '../../../nodes/skip-layers.ts';
import { compare } from '../../golden/area.ts';
import { openCase } from '../../golden/open-case.ts';
import { goldenFiles, ownGoldenDir } from '../../support/golden.ts';
import {
  type HashedCase,
  hashedEntry,
  hashedModel,
  predictHashed,
} from '../../support/hashed-model.ts';
import { assertLikeReference } from '../../support/object-info.ts';

interface Case extends HashedCase {
  readonly double: readonly number[];
  readonly single: readonly number[];
}

const runtime = createRuntime({ threads: 1 });
const dir = ownGoldenDir('skipped-blocks');

test.each(skipLayerNodes.map((node) => [node.name, node] as const))(
  '%s prints like the reference',
  (_, node) => assertLikeReference(node),
);

describe('the network without blocks', () => {
  for (const file of goldenFiles(dir, '.safetensors')) {
    test(basename(file, '.safetensors'), async () => {
      const { params, array } = await openCase<Case>(join(dir, file));
      const model = await hashedModel(params);
      const { double, single } = model.family.blocks!;
      const sites = [
        ...params.double.map((i) => `${double}.${i}`),
        ...params.single.map((i) => `${single}.${i}`),
      ];
      const without = { ...model, patches: [skippedBlocks(sites)] };
      const got = await predictHashed(without, params, hashedEntry(params), runtime);
      const result = compare('out', got, array('out'), { atol: 2e-5, rtol: 1e-4 });
      expect(result).toMatchObject({ pass: true });
    });
  }
});

describe('guidance by left out blocks', async () => {
  const { params } = await openCase<Case>(join(dir, 'flux.safetensors'));
  const model = await hashedModel({ ...params, x: [1, 16, 8, 8] });
  const entry = hashedEntry({ ...params, x: [1] });
  const other = hashedEntry({ ...params, name: 'other', x: [1] });
  const layers = { double: '0, 1', single: 'none, but 1', startPercent: 0, endPercent: 1 };
  const worse = {
    ...model,
    patches: [skippedBlocks(['double_blocks.0', 'double_blocks.1', 'single_blocks.1'])],
  };

  /** One step from noise to the prediction itself. */
  const predicted = async (
    on: Model,
    { cfg = 1, sides = [entry, other] }: { cfg?: number; sides?: readonly (typeof entry)[] } = {},
  ): Promise<NDArray> => {
    const { samples } = await sampleCustom({
      model: diffusion(on, { runtime }),
      guider: cfgGuider({ positive: [sides[0]], negative: [sides[1]], cfg }),
      sampler: samplerByName('euler'),
      sigmas: Float32Array.of(0.7, 0),
      latent: zeros([1, 16, 8, 8]),
      seed: 5,
    });
    return samples;
  };
  const guided = (guidance: GuidanceHooks | undefined): Model => ({ ...model, guidance });
  const near = (got: NDArray, expected: (i: number) => number): void =>
    got.data.forEach((value, i) => expect(value).toBeCloseTo(expected(i), 3));

  test('adds what the blocks made better', async () => {
    const [plain, without] = [await predicted(model), await predicted(worse)];
    const hooks = skipGuidance(model, layers, { scale: 3, rescale: 0 });
    const got = await predicted(guided(hooks));
    near(got, (i) => plain.data[i] + 3 * (plain.data[i] - without.data[i]));
    expect(got.data).not.toEqual(plain.data);
  });

  test('only between its parts of the run, and where blocks are named', async () => {
    const plain = await predicted(model);
    const strength = { scale: 3, rescale: 0 };
    const late = skipGuidance(model, { ...layers, startPercent: 0.99 }, strength);
    expect((await predicted(guided(late))).data).toEqual(plain.data);
    expect(skipGuidance(model, { ...layers, double: '', single: 'no' }, strength)).toBeUndefined();
  });

  test('the simple one predicts the negative side without them', async () => {
    const [positive, negative] = [
      await predicted(model),
      await predicted(worse, { sides: [other, other] }),
    ];
    const got = await predicted(guided(skipNegative(model, layers)), { cfg: 2 });
    near(got, (i) => negative.data[i] + 2 * (positive.data[i] - negative.data[i]));
  });
});
