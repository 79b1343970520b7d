/** Golden cases of sigma tables, parameterisations and schedules. */
import { map } from '../../../engine/array/elementwise.ts';
import type { NDArray } from '../../../engine/array/nd.ts';
import {
  createModelSampling,
  type ModelSampling,
} from '../../../engine/sampling/model-sampling.ts';
import { samplerByName, samplers } from '../../../engine/sampling/samplers/table.ts';
import { calculateSigmas, ksamplerSigmas } from '../../../engine/sampling/schedules/schedules.ts';
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

/** `model_sampling_nodes`: the sampling objects that the ModelSampling… nodes make. */
export function modelSamplingNodes(golden: GoldenCase<TableParams>): Comparison[] {
  const lcm = createModelSampling({ prediction: 'lcm', schedule: {} });
  const aura = samplingOf('FLOW', { shift: 1.73, multiplier: 1 });
  const fixed: Record<string, () => ArrayLike<number> | NDArray> = {
    lcm_sigmas: () => lcm.sigmas,
    lcm_timestep: () => Array.from(golden.array('in.lcm_sigma').data, lcm.timestep),
    lcm_denoised: () =>
      lcm.calculateDenoised(
        golden.array('in.lcm_sigma').data,
        golden.array('in.lcm_model_output'),
        golden.array('in.lcm_x'),
      ),
    v_zsnr_sigma_max: () => [samplingOf('V_PREDICTION', { zsnr: true }).sigmaMax],
  };
  return outputs(golden).map((output) => {
    const name = output.slice(4);
    const made = fixed[name]?.() ?? nodeValue(name, { lcm, aura });
    const got = 'shape' in made ? made : list(made);
    return compare(output, got, golden.numbers(output), golden.tolerance);
  });
}

const continuousEdm: Readonly<Record<string, { type: string; sigmaData: number }>> = {
  v_prediction: { type: 'V_PREDICTION_EDM', sigmaData: 1 },
  edm: { type: 'EDM', sigmaData: 0.5 },
  eps: { type: 'V_PREDICTION_EDM', sigmaData: 1 },
  cosmos_rflow: { type: 'FLOW_COSMOS', sigmaData: 1 },
};

function nodeValue(
  name: string,
  { lcm, aura }: { lcm: ModelSampling; aura: ModelSampling },
): ArrayLike<number> {
  const flux = /^flux_([\d.]+)_([\d.]+)_(\d+)x(\d+)_(shift_f64|simple_6)$/.exec(name);
  if (flux) {
    const [max, base, width, height] = flux.slice(1, 5).map(Number);
    const slope = (max - base) / (4096 - 256);
    const shift = ((width * height) / 256) * slope + base - slope * 256;
    if (flux[5] === 'shift_f64') return [shift];
    return calculateSigmas(samplingOf('FLUX', { shift }), 'simple', 6);
  }
  const edm = /^cont_edm_(\w+)_(sigma_data_f64|karras_5)$/.exec(name);
  if (edm) {
    const { type, sigmaData } = continuousEdm[edm[1]];
    if (edm[2] === 'sigma_data_f64') return [sigmaData];
    const settings = { sigma_min: 0.002, sigma_max: 120, sigma_data: sigmaData };
    return calculateSigmas(samplingOf(type, settings), 'karras', 5);
  }
  const schedule = /^(lcm|aura_1\.73|sd3_4\.5)_(\w+)_(\d+)$/.exec(name);
  if (schedule) {
    const sampling = { lcm, 'aura_1.73': aura, 'sd3_4.5': samplingOf('FLOW', { shift: 4.5 }) }[
      schedule[1] as 'lcm'
    ];
    return calculateSigmas(sampling, schedule[2], Number(schedule[3]));
  }
  if (name === 'aura_1.73_timestep_of_0.5') return [aura.timestep(0.5)];
  throw new Error(`unknown entry '${name}'`);
}
