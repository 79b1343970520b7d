/** Golden cases `training/loss`: targets, weights, losses and draws of training. */
import { join } from 'node:path';
import { concat } from '../../../engine/array/batch.ts';
import type { NDArray } from '../../../engine/array/nd.ts';
import { gradients } from '../../../engine/autodiff/gradients.ts';
import { add, mul } from '../../../engine/tensor/nn.ts';
import type { Tensor } from '../../../engine/tensor/tensor.ts';
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
  halfBellWeights,
  snrWeights,
} from '../../../engine/training/objective/sample-weights.ts';
import { mix, predictions } from '../../../engine/training/objective/targets.ts';
import type { CaseResult, Comparison } from '../area.ts';
import { openCase } from '../open-case.ts';
import {
  fixed,
  noiseOffset,
  percentToSigma,
  scriptTimes,
  timesteps,
  within,
} from './losses/draws.ts';
import { type Golden, type Params, against, list } from './losses/loss-case.ts';
import { type Given, runProgram } from './program.ts';

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
