/** Golden cases of sigma tables, parameterisations and schedules. */
import { map } from '../../../engine/array/elementwise.ts';
import type { NDArray } from '../../../engine/array/nd.ts';
import type { NodeContext } from '../../../engine/graph/definition.ts';
import {
  createModelSampling,
  type ModelSampling,
} from '../../../engine/sampling/model-sampling.ts';
import { samplerByName, samplers } from '../../../engine/sampling/samplers/table.ts';
import { calculateSigmas, ksamplerSigmas } from '../../../engine/sampling/schedules/schedules.ts';
import type { Model } from '../../../engine/values/model.ts';
import { modelSamplingNodes } from '../../../nodes/model-sampling.ts';
import { type Comparison, compare } from '../area.ts';
import type { GoldenCase } from '../open-case.ts';
import { samplingOf } from './settings.ts';

type Settings = Readonly<Record<string, number | string | boolean>>;

export interface TableParams {
  readonly op: string;
  readonly model_type: string;
  readonly sampling_settings: Settings;
  readonly rtol_kl_optimal?: number;
}

const list = (data: ArrayLike<number>): { data: ArrayLike<number>; shape: readonly number[] } => ({
  data,
  shape: [data.length],
});

/** `model_sampling_<type>`: everything a sampling object does. */
export function modelSampling(golden: GoldenCase<TableParams>): Comparison[] {
  const { params, tolerance } = golden;
  const sampling = samplingOf(params.model_type, params.sampling_settings);
  const [x, output, latent] = ['in.x', 'in.model_output', 'in.latent'].map(golden.array);
  const sigmas = golden.array('in.sigma_batch').data;
  const [sigma] = sigmas;
  const indices = golden.has('in.sigma_indices')
    ? golden.numbers('in.sigma_indices').data
    : [...sampling.sigmas.keys()];
  const got: Record<string, { data: ArrayLike<number>; shape: readonly number[] }> = {
    sigmas: list(indices.map((i) => sampling.sigmas[i])),
    timestep_of_sigma: map(golden.array('in.sigma'), sampling.timestep),
    sigma_of_timestep: map(golden.array('in.timestep'), sampling.sigma),
    percent_to_sigma_f64: list(golden.numbers('in.percent_f64').data.map(sampling.percentToSigma)),
    calculate_input: sampling.calculateInput(sigmas, x),
    calculate_denoised: sampling.calculateDenoised(sigmas, output, x),
    noise_scaling: sampling.noiseScaling(sigma, x, latent),
    noise_scaling_max_denoise: sampling.noiseScaling(sigma, x, latent, true),
    inverse_noise_scaling: sampling.inverseNoiseScaling(sigma, x),
  };
  return outputs(golden).map((name) =>
    compare(name, got[name.slice(4)], golden.numbers(name), tolerance),
  );
}

const outputs = (golden: GoldenCase<unknown>): string[] =>
  golden.names.filter((name) => name.startsWith('out.'));

/** `schedulers_<type>`: keys are `<scheduler>_<steps>`. */
export function schedules(golden: GoldenCase<TableParams>): Comparison[] {
  const { params, tolerance } = golden;
  const sampling = samplingOf(params.model_type, params.sampling_settings);
  return outputs(golden).map((name) => {
    const [, scheduler, steps] = /^out\.(.+)_(\d+)$/.exec(name)!;
    const rtol =
      scheduler === 'kl_optimal' ? (params.rtol_kl_optimal ?? tolerance.rtol) : tolerance.rtol;
    const got = list(calculateSigmas(sampling, scheduler, Number(steps)));
    return compare(name, got, golden.array(name), { ...tolerance, rtol });
  });
}

const models: Readonly<Record<string, () => ModelSampling>> = {
  sd1: () => samplingOf('EPS'),
  sd3: () => samplingOf('FLOW', { shift: 3 }),
};

/** `ksampler_sigmas`: keys are `<model>_<sampler>_<scheduler>_<steps>_d<denoise>`. */
export function ksamplerSchedules(golden: GoldenCase<TableParams>): Comparison[] {
  const pattern = /^out\.(sd1|sd3)_(.+)_(\d+)_d([\d.]+)$/;
  return outputs(golden).map((name) => {
    const [, model, both, steps, denoise] = pattern.exec(name)!;
    const sampler = Object.keys(samplers)
      .filter((candidate) => both.startsWith(`${candidate}_`))
      .reduce((a, b) => (b.length > a.length ? b : a), '');
    const scheduler = both.slice(sampler.length + 1);
    const got = ksamplerSigmas(models[model](), scheduler, {
      steps: Number(steps),
      denoise: Number(denoise),
      dropPenultimate: samplerByName(sampler).dropPenultimate ?? false,
    });
    return compare(name, list(got), golden.array(name), golden.tolerance);
  });
}

/** What a ModelSampling… node makes of SD1's settings. */
function nodeSampling(name: string, inputs: Readonly<Record<string, unknown>>): Model {
  const node = modelSamplingNodes.find((candidate) => candidate.name === name)!;
  const model = { sampling: { prediction: 'eps', schedule: {} } } as Model;
  const [made] = node.run({ model, ...inputs }, {} as NodeContext) as [Model];
  return made;
}

const discrete = (sampling: string, zsnr: boolean): Model =>
  nodeSampling('ModelSamplingDiscrete', { sampling, zsnr });

/** `model_sampling_nodes`: the sampling objects that the ModelSampling… nodes make. */
export function modelSamplingNodeCases(golden: GoldenCase<TableParams>): Comparison[] {
  const lcm = createModelSampling(discrete('lcm', false).sampling);
  const fixed: Record<string, () => ArrayLike<number> | NDArray> = {
    lcm_sigmas: () => lcm.sigmas,
    lcm_timestep: () => Array.from(golden.array('in.lcm_sigma').data, lcm.timestep),
    lcm_denoised: () =>
      lcm.calculateDenoised(
        golden.array('in.lcm_sigma').data,
        golden.array('in.lcm_model_output'),
        golden.array('in.lcm_x'),
      ),
    v_zsnr_sigma_max: () => [createModelSampling(discrete('v_prediction', true).sampling).sigmaMax],
  };
  return outputs(golden).map((output) => {
    const name = output.slice(4);
    const made = fixed[name]?.() ?? nodeValue(name);
    const got = 'shape' in made ? made : list(made);
    return compare(output, got, golden.numbers(output), golden.tolerance);
  });
}

/** Keys are `<node's settings>_<what is read>`: a schedule of some steps, or one of the numbers. */
function nodeValue(name: string): ArrayLike<number> {
  const { sampling } = nodeOf(name);
  const [, setting] = /_(shift|sigma_data)_f64$/.exec(name) ?? [];
  if (setting === 'shift') return [Number(sampling.schedule.shift)];
  const made = createModelSampling(sampling);
  if (setting === 'sigma_data') return [made.sigmaData];
  const [, time] = /_timestep_of_([\d.]+)$/.exec(name) ?? [];
  if (time !== undefined) return [made.timestep(Number(time))];
  const [, scheduler, steps] = /_(simple|normal|karras|sgm_uniform)_(\d+)$/.exec(name)!;
  return calculateSigmas(made, scheduler, Number(steps));
}

function nodeOf(name: string): Model {
  const flux = /^flux_([\d.]+)_([\d.]+)_(\d+)x(\d+)_/.exec(name);
  if (flux) {
    const [max_shift, base_shift, width, height] = flux.slice(1).map(Number);
    return nodeSampling('ModelSamplingFlux', { max_shift, base_shift, width, height });
  }
  const edm = /^cont_edm_(\w+)_(sigma_data_f64|karras_5)$/.exec(name);
  if (edm) {
    const levels = { sigma_max: 120, sigma_min: 0.002 };
    return nodeSampling('ModelSamplingContinuousEDM', { sampling: edm[1], ...levels });
  }
  const flow = /^(aura|sd3)_([\d.]+)_/.exec(name);
  if (flow) {
    const node = flow[1] === 'aura' ? 'ModelSamplingAuraFlow' : 'ModelSamplingSD3';
    return nodeSampling(node, { shift: Number(flow[2]) });
  }
  if (name.startsWith('lcm_')) return discrete('lcm', false);
  throw new Error(`unknown entry '${name}'`);
}
