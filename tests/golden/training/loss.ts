/** Golden cases `training/loss`: targets, weights, losses and draws of training. */
import { join } from 'node:path';
import { concat } from '../../../engine/array/batch.ts';
import type { NDArray } from '../../../engine/array/nd.ts';
import { gradients } from '../../../engine/autodiff/gradients.ts';
import { pythonRandom } from '../../../engine/sampling/noise/python-random.ts';
import { TorchGenerator } from '../../../engine/sampling/noise/torch-generator.ts';
import { sigmaSchedules } from '../../../engine/sampling/sigma-schedule.ts';
import { add, mul } from '../../../engine/tensor/nn.ts';
import type { Tensor } from '../../../engine/tensor/tensor.ts';
import { adaptiveOffsetNoise, trainingNoise } from '../../../engine/training/noise.ts';
import { huberThresholds } from '../../../engine/training/objective/huber-thresholds.ts';
import {
  type ElementLoss,
  jobLosses,
  nodeLosses,
  scriptLosses,
} from '../../../engine/training/objective/losses.ts';
import { jobMask, scriptMask } from '../../../engine/training/objective/masks.ts';
import { alphasCumprod, snrOf } from '../../../engine/training/objective/noise-schedule.ts';
import {
  objective,
  preservation,
  regularisationFactor,
} from '../../../engine/training/objective/objective.ts';
import {
  bellWeights,
  flowWeights,
  halfBellWeights,
  snrWeights,
} from '../../../engine/training/objective/sample-weights.ts';
import { mix, predictions } from '../../../engine/training/objective/targets.ts';
import {
  placeOf,
  timestepSamplings,
  weightingSchemes,
} from '../../../engine/training/timesteps/script-times.ts';
import { type FlowShift, fluxShift } from '../../../engine/training/timesteps/shift.ts';
import {
  type TimestepSettings,
  drawTimesteps,
} from '../../../engine/training/timesteps/timesteps.ts';
import { type CaseResult, type Comparison, compare } from '../area.ts';
import { type GoldenCase, openCase } from '../open-case.ts';
import { type Given, runProgram } from './program.ts';

/** Settings of the cases; which are there depends on the case. */
interface Params {
  readonly seed: number;
  readonly batch: number;
  readonly gamma: number;
  readonly gamma_small: number;
  readonly offset: number;
  readonly adaptive_scale: number;
  readonly mask_min_value: number;
  readonly reg_weight: number;
  readonly preservation_multiplier: number;
  readonly huber_c: number;
  readonly huber_scale: number;
  readonly min: number;
  readonly max: number;
  readonly latent_hw?: readonly [number, number];
  readonly shift: number;
  readonly steps: number;
  readonly mu?: number;
  readonly sigmoid_scale: number;
  readonly discrete_flow_shift: number;
  readonly logit_mean: number;
  readonly logit_std: number;
  readonly mode_scale: number;
}
type Golden = GoldenCase<{ readonly params: Params }>;
type Values = { data: ArrayLike<number>; shape: readonly number[] };

const exact = { atol: 0, rtol: 0 };
const list = (data: ArrayLike<number>): Values => ({ data, shape: [data.length] });

/** Compares each named result with the case's tensor of that name under `out.`. */
const against = (
  golden: Golden,
  results: Readonly<Record<string, Values>>,
  tolerance = golden.tolerance,
): Comparison[] =>
  Object.entries(results).map(([name, got]) =>
    compare(name, got, golden.numbers(`out.${name}`), tolerance),
  );

/** A loss over the case's prediction, and what it says the prediction should change by. */
const withGradient = (prefix: string, loss: Tensor, prediction: Tensor) => ({
  [`${prefix}loss`]: loss,
  [`${prefix}grad`]: gradients(loss, [prediction])[0],
});

/** Runs a function of prediction, target and what else is given. */
const evaluate = (
  golden: Golden,
  build: (
    prediction: Tensor,
    target: Tensor,
    more: Readonly<Record<string, Tensor>>,
  ) => Record<string, Tensor>,
  more: Readonly<Record<string, Given>> = {},
): ReturnType<typeof runProgram> =>
  runProgram({ pred: golden.array('in.pred'), target: golden.array('in.target'), ...more }, (all) =>
    build(all['pred'], all['target'], all),
  );

/** Every loss of a table, by name. */
const losses =
  (table: Readonly<Record<string, ElementLoss>>) =>
  async (golden: Golden): Promise<Comparison[]> => {
    const results = await evaluate(
      golden,
      (prediction, target) =>
        Object.assign(
          {},
          ...Object.entries(table).map(([name, loss]) => {
            const whole = objective({ prediction, target, loss });
            const each = golden.has(`out.${name}.per_sample`)
              ? { [`${name}.per_sample`]: whole.perSample }
              : {};
            return { ...withGradient(`${name}.`, whole.loss, prediction), ...each };
          }),
        ) as Record<string, Tensor>,
    );
    return against(golden, results);
  };

async function minSnrLoss(golden: Golden): Promise<Comparison[]> {
  const { gamma } = golden.params.params;
  const table = alphasCumprod();
  const weights = golden
    .numbers('in.timesteps')
    .data.map((t) => snrWeights.min_snr_gamma(snrOf(table[t]), gamma));
  const results = await evaluate(
    golden,
    (prediction, target, { weight }) => {
      const { loss } = objective({ prediction, target, loss: jobLosses.mse, weight });
      return withGradient('', loss, prediction);
    },
    { weight: { data: Float32Array.from(weights), shape: [weights.length] } },
  );
  return against(golden, { ...results, weights: list(weights) });
}

async function maskedLoss(golden: Golden): Promise<Comparison[]> {
  const [, channels, height, width] = golden.array('in.pred').shape;
  const pixels = golden.array('in.mask');
  const job = jobMask(pixels, height, width, { minValue: golden.params.params.mask_min_value });
  const script = scriptMask(pixels, height, width);
  const results = await evaluate(
    golden,
    (prediction, target, masks) => {
      const masked = (name: string) => {
        const { loss } = objective({ prediction, target, loss: jobLosses.mse, mask: masks[name] });
        return withGradient(`${name}.`, loss, prediction);
      };
      return { ...masked('yaml'), ...masked('scripts') };
    },
    { yaml: job, scripts: script },
  );
  const wide = concat(new Array<NDArray>(channels).fill(job), 1);
  return against(golden, { ...results, 'yaml.mask': wide, 'scripts.mask': script });
}

async function priorPreservation(golden: Golden): Promise<Comparison[]> {
  const { reg_weight: regWeight, preservation_multiplier: multiplier } = golden.params.params;
  const isReg = golden.numbers('in.is_reg').data.map((flag) => flag === 1);
  const prior = Float32Array.from(isReg, (reg) => (reg ? regWeight : 1));
  const results = await evaluate(
    golden,
    (prediction, target, { multipliers, priors, factor, classPrediction, known }) => {
      const loss = jobLosses.mse;
      return {
        'yaml.loss': mul(objective({ prediction, target, loss, weight: multipliers }).loss, factor),
        'scripts.loss': objective({ prediction, target, loss, weight: priors }).loss,
        'preservation.loss': add(
          objective({ prediction, target, loss }).loss,
          preservation(classPrediction, known, multiplier),
        ),
      };
    },
    {
      multipliers: golden.array('in.loss_multiplier'),
      priors: { data: prior, shape: [isReg.length] },
      factor: { data: Float32Array.of(regularisationFactor(isReg, regWeight)), shape: [] },
      classPrediction: golden.array('in.class_pred'),
      known: golden.array('in.prior_pred'),
    },
  );
  return against(golden, results);
}

async function scriptsHuber(golden: Golden): Promise<Comparison[]> {
  const { huber_c: huberC, huber_scale: huberScale } = golden.params.params;
  const table = alphasCumprod();
  const steps = golden
    .numbers('in.timesteps')
    .data.map((timestep) => ({ timestep, alphaBar: table[timestep], timesteps: table.length }));
  const thresholds = Object.fromEntries(
    Object.entries(huberThresholds).map(([name, threshold]) => {
      const values = steps.map((step) => threshold({ huberC, huberScale }, step));
      return [name, { data: Float32Array.from(values), shape: [steps.length] }];
    }),
  );
  const results = await evaluate(
    golden,
    (prediction, target, given) => {
      const perSample = (name: string, kind: 'huber' | 'smooth_l1') => {
        const loss = scriptLosses[kind];
        return objective({ prediction, target, loss, threshold: given[name] }).perSample;
      };
      return Object.fromEntries(
        Object.keys(thresholds).flatMap((name) => [
          [`${name}.huber`, perSample(name, 'huber')],
          [`${name}.smooth_l1`, perSample(name, 'smooth_l1')],
        ]),
      );
    },
    thresholds,
  );
  const c = Object.entries(thresholds).map(([name, values]) => [`${name}.c`, values] as const);
  return against(golden, { ...results, ...Object.fromEntries(c) });
}

function ddpmTargets(golden: Golden): Comparison[] {
  const table = alphasCumprod();
  const levels = golden.numbers('in.timesteps').data.map((t) => table[t]);
  const [x0, noise] = [golden.array('in.x0'), golden.array('in.noise')];
  const { eps, v } = predictions;
  return against(golden, {
    alphas_cumprod: list(table),
    alphas_cumprod_ztsnr: list(alphasCumprod({ zeroTerminalSnr: true })),
    snr: list(table.map(snrOf)),
    noisy: mix(eps.noisy, levels, x0, noise),
    'target.eps': mix(eps.target, levels, x0, noise),
    'target.v': mix(v.target, levels, x0, noise),
  });
}

function flowTargets(golden: Golden): Comparison[] {
  const { flow } = predictions;
  const times = golden.numbers('in.t').data;
  const [x0, noise] = [golden.array('in.x0'), golden.array('in.noise')];
  const noisy = mix(flow.noisy, times, x0, noise);
  return against(golden, {
    noisy,
    target: mix(flow.target, times, x0, noise),
    x0_from_pred: mix(flow.denoised, times, noisy, golden.array('in.pred')),
  });
}

function weightsBySnr(golden: Golden): Comparison[] {
  const { gamma, gamma_small: small } = golden.params.params;
  const table = alphasCumprod();
  const snr = golden.numbers('in.timesteps').data.map((t) => snrOf(table[t]));
  const by = (name: keyof typeof snrWeights, strength = 1) => {
    const weight: (snr: number, strength: number) => number = snrWeights[name];
    return list(snr.map((value) => weight(value, strength)));
  };
  return against(golden, {
    snr: list(snr),
    'yaml.min_snr_gamma': by('min_snr_gamma', gamma),
    'yaml.min_snr_gamma_small': by('min_snr_gamma', small),
    'yaml.snr_gamma': by('snr_gamma', gamma),
    'scripts.min_snr_eps': by('min_snr_gamma', gamma),
    'scripts.min_snr_v': by('min_snr_gamma_v', gamma),
    'scripts.debiased_eps': by('debiased_estimation'),
    'scripts.debiased_v': by('debiased_estimation_v'),
    'scripts.scale_v_like_noise': by('scale_v_pred_loss_like_noise_pred'),
    'scripts.v_like_factor_1': by('v_pred_like_loss'),
  });
}

function noiseOffset(golden: Golden): Comparison[] {
  const { seed, offset, adaptive_scale: adaptiveScale } = golden.params.params;
  const latents = golden.array('in.latents');
  const fresh = (): TorchGenerator => new TorchGenerator(seed);
  const generator = fresh();
  const noise = generator.randn(latents.shape);
  return [
    compare('draw.noise', noise, golden.array('in.draw.noise'), exact),
    ...against(golden, {
      noise: trainingNoise({ latents }, { noiseOffset: offset }, fresh()),
      'scripts.adaptive': adaptiveOffsetNoise(noise, latents, { offset, adaptiveScale }, generator),
      'yaml.dynamic': trainingNoise({ latents }, { dynamicNoiseOffset: true }, fresh()),
    }),
  ];
}

function percentToSigma(golden: Golden): Comparison[] {
  const percent = golden.numbers('in.percent').data;
  const { flow, flux } = sigmaSchedules;
  const eps = sigmaSchedules.discrete({});
  const drawn = new TorchGenerator(golden.params.params.seed).rand(6);
  return [
    compare('percent', list(drawn), list(percent.slice(0, 6)), exact),
    ...against(golden, {
      eps: list(percent.map(eps.percentToSigma)),
      eps_sigmas: list(eps.sigmas),
      ...Object.fromEntries(
        golden.names.flatMap((name) => {
          const [, kind, shift] = /^out\.(flow_shift|flux_)(.+)$/.exec(name) ?? [];
          if (!kind) return [];
          const schedule = (kind === 'flux_' ? flux : flow)({ shift: Number(shift) });
          return [[kind + shift, list(percent.map(schedule.percentToSigma))]];
        }),
      ),
    }),
  ];
}

/** Tokens of a picture in patches of two by two. */
const tokensOf = ({ latent_hw: size }: Params): number => (size ? (size[0] * size[1]) / 4 : 0);

/** Flux's shift, or where the case names mu alone that one for every size. */
const dynamic = ({ latent_hw: size, mu }: Params): FlowShift =>
  size || mu === undefined
    ? fluxShift
    : { dynamic: { ...fluxShift.dynamic, baseShift: mu, maxShift: mu } };

/** A batch's draw: places exactly, times and their table within the tolerance. */
const timesteps =
  (
    settings: (params: Params) => TimestepSettings,
    shift: (params: Params) => FlowShift = dynamic,
  ) =>
  (golden: Golden): Comparison[] => {
    const { params } = golden.params;
    const batch = golden.numbers('out.index').data.length;
    const got = drawTimesteps(settings(params), {
      batch,
      generator: new TorchGenerator(params.seed),
      list: pythonRandom(params.seed),
      shift: shift(params),
      tokens: tokensOf(params),
    });
    const inTolerance = { table: list(got.table), timestep: list(got.timesteps) };
    return [
      ...against(golden, { index: list(got.indices) }, exact),
      ...against(golden, golden.has('out.table') ? inTolerance : { timestep: list(got.timesteps) }),
    ];
  };

const fixed = ({ shift }: Params): FlowShift => ({ shift });
const within =
  (contentOrStyle?: 'content' | 'style') =>
  (params: Params): TimestepSettings => ({
    type: 'ddpm',
    contentOrStyle,
    minDenoisingSteps: params.min,
    maxDenoisingSteps: params.max,
  });

function scriptTimes(golden: Golden): Comparison[] {
  const { params } = golden.params;
  const settings = {
    sigmoidScale: params.sigmoid_scale,
    discreteFlowShift: params.discrete_flow_shift,
    logitMean: params.logit_mean,
    logitStd: params.logit_std,
    modeScale: params.mode_scale,
  };
  const draws = () => ({
    batch: golden.numbers('out.uniform').data.length,
    generator: new TorchGenerator(params.seed),
    tokens: tokensOf(params),
  });
  const times = Object.entries(timestepSamplings).map(([name, sample]) => [
    name,
    list(sample(settings, draws()).map((t) => t * 1000)),
  ]);
  const sigmas = golden.numbers('in.sigmas').data;
  const normal = weightingSchemes.logit_normal(settings, draws());
  return [
    ...against(golden, {
      ...(Object.fromEntries(times) as Record<string, Values>),
      'logit_normal.u': list(normal),
      'mode.u': list(weightingSchemes.mode(settings, draws())),
      'weight.cosmap': list(sigmas.map(flowWeights.cosmap)),
      'weight.sigma_sqrt': list(sigmas.map(flowWeights.sigma_sqrt)),
    }),
    ...against(
      golden,
      { 'logit_normal.index': list(Array.from(normal, (u) => placeOf(u))) },
      exact,
    ),
  ];
}

const cases: Readonly<Record<string, (golden: Golden) => Comparison[] | Promise<Comparison[]>>> = {
  ddpm_targets: ddpmTargets,
  flow_targets: flowTargets,
  linear_timestep_weights: (golden) =>
    against(golden, { weights: list(bellWeights()), weights2: list(halfBellWeights()) }),
  masked_loss: maskedLoss,
  min_snr_loss: minSnrLoss,
  node_loss_types: losses(nodeLosses),
  node_percent_to_sigma: percentToSigma,
  noise_offset: noiseOffset,
  prior_preservation: priorPreservation,
  scripts_huber: scriptsHuber,
  snr_weights: weightsBySnr,
  timesteps_content: timesteps(within('content')),
  timesteps_style: timesteps(within('style')),
  timesteps_ddpm_balanced: timesteps(within()),
  timesteps_ddpm_range: timesteps(within()),
  timesteps_flow_linear: timesteps(() => ({ type: 'linear' })),
  timesteps_flow_sigmoid: timesteps(() => ({ type: 'sigmoid' })),
  timesteps_flux_shift: timesteps(() => ({ type: 'flux_shift' })),
  timesteps_lognorm_blend: timesteps(() => ({ type: 'lognorm_blend' })),
  timesteps_lumina_shift6: timesteps(() => ({ type: 'lumina2_shift' }), fixed),
  timesteps_shift3: timesteps(() => ({ type: 'shift' }), fixed),
  timesteps_next_sample: timesteps(({ steps }) => ({
    type: 'next_sample',
    nextSampleTimesteps: steps,
  })),
  timesteps_scripts: scriptTimes,
  yaml_loss_types: losses(jobLosses),
};

export async function run(dir: string, name: string): Promise<CaseResult> {
  const check = cases[name];
  if (!check) return { skip: `unknown case '${name}'` };
  const golden = await openCase<{ readonly params: Params }>(join(dir, `${name}.safetensors`));
  return { comparisons: await check(golden) };
}
