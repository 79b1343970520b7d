/** Networks that reach into a model, against ComfyUI 0.3.64. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { nd, zeros } from '../../../engine/array/nd.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { withBlockControl } from '../../../engine/values/with-block-control.ts';
import type { Model } from '../../../engine/values/model.ts';
import { type ModelPatch, loadModelPatch } from '../../../engine/values/model-patch.ts';
import { withStyleReference } from '../../../engine/values/style-reference.ts';
import { modelPatchNodes } from '../../../nodes/model-patch.ts';
import { compare } from '../../golden/area.ts';
import { openCase } from '../../golden/open-case.ts';
import { goldenFiles, ownGoldenDir } from '../../support/golden.ts';
import {
  type HashedCase,
  hashedArray,
  hashedEntry,
  hashedModel,
  predictHashed,
} from '../../support/hashed-model.ts';
import { type Shapes, unitNumbers, writeHashed } from '../../support/hashed-weights.ts';
import { assertLikeReference } from '../../support/object-info.ts';
import { toyVae } from '../../support/toy-vae.ts';

interface Case extends HashedCase {
  readonly net: Shapes;
  readonly kind: 'blockwise' | 'style';
  readonly image: readonly number[];
  readonly mask?: readonly number[];
  readonly strength: number;
}

const runtime = createRuntime({ threads: 1 });
const dir = ownGoldenDir('model-patches');
const folder = mkdtempSync(join(tmpdir(), 'noodle-patch-'));
afterAll(() => rmSync(folder, { recursive: true }));

const caseOf = (name: string) => openCase<Case>(join(dir, `${name}.safetensors`));
const patchOf = ({ name, net }: Case): Promise<ModelPatch> =>
  loadModelPatch(writeHashed(join(folder, `${name}.safetensors`), net));

/** The model as a case's node gives it. */
const patched: Readonly<Record<Case['kind'], (model: Model, params: Case) => Promise<Model>>> = {
  async blockwise(model, params) {
    const { name, mask, strength } = params;
    const image = hashedArray(`${name}.image`, [1, ...params.image, 3], 1, 0.5);
    const area = [1, ...(mask ?? [])];
    const painted = unitNumbers(`${name}.mask`, area).map((u) => (u > 0 ? 1 : 0));
    const given = { net: await patchOf(params), vae: toyVae(true), image, strength };
    return withBlockControl(model, { ...given, mask: mask && nd(painted, area) });
  },
  async style(model, params) {
    const state = (level: string) => hashedArray(`${params.name}.${level}`, [1, 9, 24], 4);
    const earlier = { [-11]: state('mid'), [-20]: state('low') };
    const seen = { penultimate: state('high'), earlier };
    return withStyleReference(model, await patchOf(params), seen, { runtime });
  },
};

test.each(modelPatchNodes.map((node) => [node.name, node] as const))(
  '%s prints like the reference',
  (_, node) => assertLikeReference(node),
);

describe('a model with a patch', () => {
  for (const file of goldenFiles(dir, '.safetensors')) {
    test(basename(file, '.safetensors'), async () => {
      const { params, array } = await openCase<Case>(join(dir, file));
      const model = await patched[params.kind](await hashedModel(params), params);
      const got = await predictHashed(model, params, hashedEntry(params), runtime);
      const result = compare('out', got, array('out'), { atol: 2e-5, rtol: 1e-4 });
      expect(result).toMatchObject({ pass: true });
    });
  }
});

test('patches that do not fit are refused by name', async () => {
  const { params: style } = await caseOf('style');
  const { params: control } = await caseOf('blockwise');
  const [flux, qwen] = [await hashedModel(style), await hashedModel(control)];
  const [styleNet, controlNet] = [await patchOf(style), await patchOf(control)];
  const given = { vae: toyVae(true), image: zeros([1, 16, 16, 3]), strength: 1 };
  expect(() => withBlockControl(qwen, { ...given, net: styleNet })).toThrow(
    /style.safetensors: expected a DiffSynth control of Qwen-Image, got USO's style projector/,
  );
  const seen = { penultimate: zeros([1, 9, 24]) };
  await expect(withStyleReference(flux, styleNet, seen, { runtime })).rejects.toThrow(
    /clip_vision_output.*9 tokens of width 24.*not of its earlier layers/,
  );
  const earlier = { [-11]: zeros([1, 9, 24]), [-20]: zeros([1, 9, 24]) };
  await expect(
    withStyleReference(qwen, styleNet, { ...seen, earlier }, { runtime }),
  ).rejects.toThrow(/style.safetensors: expected a Flux of width 32, got Qwen-Image/);
  const controlled = withBlockControl(flux, { ...given, net: controlNet });
  await expect(predictHashed(controlled, style, hashedEntry(style), runtime)).rejects.toThrow(
    /blockwise.safetensors: expected a Qwen-Image of width 32, got Flux/,
  );
});
