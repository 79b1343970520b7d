import { describe, expect, it } from 'vitest';
import { zeros } from '../../engine/array/nd.ts';
import type { NodeContext } from '../../engine/graph/definition.ts';
import { createModelSampling } from '../../engine/sampling/model-sampling.ts';
import type { SamplingSettings } from '../../engine/sampling/model-sampling.ts';
import type { Model } from '../../engine/values/model.ts';
import { modelSamplingNodes } from '../../nodes/model-sampling.ts';
import { assertLikeReference } from '../support/object-info.ts';

const byName = new Map(modelSamplingNodes.map((node) => [node.name, node]));

const file = (schedule: SamplingSettings['schedule'] = {}): Model =>
  ({ sampling: { prediction: 'eps', schedule } }) as Model;

function run(name: string, model: Model, inputs: Record<string, unknown>): Model {
  const [made] = byName.get(name)!.run({ model, ...inputs }, {} as NodeContext) as [Model];
  return made;
}

const discrete = (model: Model, sampling: string, zsnr = false): Model =>
  run('ModelSamplingDiscrete', model, { sampling, zsnr });
const edm = (model: Model, sampling: string, sigma_min = 0.002): Model =>
  run('ModelSamplingContinuousEDM', model, { sampling, sigma_max: 120, sigma_min });

it.each([...byName])('%s prints as the reference does', (_, node) => {
  assertLikeReference(node);
});

describe('one ModelSampling node behind another', () => {
  it('goes back to the betas of the file', () => {
    const model = file({ linearStart: 0.0001, linearEnd: 0.02, zsnr: true });
    const shifted = run('ModelSamplingSD3', model, { shift: 3 });
    const { sampling } = discrete(edm(shifted, 'edm'), 'v_prediction');
    expect(createModelSampling(sampling).sigmas).toEqual(
      createModelSampling({
        prediction: 'v',
        schedule: { linearStart: 0.0001, linearEnd: 0.02 },
      }).sigmas,
    );
    expect(createModelSampling(sampling).sigmaData).toBe(1);
  });

  it('uses its own numbers only', () => {
    const aura = run('ModelSamplingAuraFlow', file(), { shift: 2 });
    const sd3 = run('ModelSamplingSD3', aura, { shift: 3 });
    expect(createModelSampling(sd3.sampling).timestep(0.5)).toBe(500);
    expect(createModelSampling(aura.sampling).timestep(0.5)).toBe(0.5);
    const cascade = run('ModelSamplingStableCascade', sd3, { shift: 1 });
    const plain = createModelSampling({ prediction: 'eps', schedule: { type: 'cascade' } });
    expect(createModelSampling(cascade.sampling).sigmas).toEqual(plain.sigmas);
  });

  it('leaves the model that it was given as it was', () => {
    const model = file();
    discrete(model, 'lcm', true);
    expect(model).toEqual(file());
  });
});

it('reads predictions as the choice says', () => {
  const predictions = ['eps', 'v_prediction', 'lcm', 'x0', 'img_to_img'].map(
    (choice) => discrete(file(), choice).sampling.prediction,
  );
  expect(predictions).toEqual(['eps', 'v', 'lcm', 'x0', 'img-to-img']);
});

it('gives a continuous v the levels and times of its own', () => {
  const levels = { sampling: 'v_prediction', sigma_max: 500, sigma_min: 0.03 };
  const { sampling } = run('ModelSamplingContinuousV', edm(file(), 'edm'), levels);
  const made = createModelSampling(sampling);
  expect(made.sigmaMin).toBeCloseTo(0.03, 6);
  expect(made.sigmaMax).toBeCloseTo(500, 3);
  expect(made.sigmaData).toBe(1);
  expect(made.timestep(1)).toBeCloseTo(0.5, 6);
});

it('changes the latent format for Playground 2.5, and keeps it', () => {
  expect(edm(file(), 'edm').latentFormat).toBeUndefined();
  const playground = edm(file(), 'edm_playground_v2.5');
  expect(playground.latentFormat).toBe('SDXL_Playground_2_5');
  expect(discrete(playground, 'eps').latentFormat).toBe('SDXL_Playground_2_5');
});

it("shifts LTX's schedule by the number of the latent's cells", () => {
  const shifts = { max_shift: 2.05, base_shift: 0.95 };
  const shiftOf = (inputs: object) =>
    run('ModelSamplingLTXV', file(), { ...shifts, ...inputs }).sampling.schedule.shift;
  expect(shiftOf({})).toBeCloseTo(2.05, 12);
  const latent = { samples: zeros([1, 128, 2, 16, 32]) };
  expect(shiftOf({ latent })).toBeCloseTo(0.95, 12);
});

it.each([
  ['sigma_min 0', () => edm(file(), 'eps', 0), 'sigmaMin'],
  ['shift 0 of a flow', () => run('ModelSamplingSD3', file(), { shift: 0 }), 'shift'],
])('refuses %s, which makes no noise levels', (_, make, subject) => {
  expect(make).toThrow(new RegExp(`${subject} of the noise schedule.*a number above 0.*0`, 's'));
});
