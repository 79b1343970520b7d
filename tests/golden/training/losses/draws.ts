/** What training draws: noise, and the noise levels of a batch. */
import { pythonRandom } from '../../../../engine/sampling/noise/python-random.ts';
import { TorchGenerator } from '../../../../engine/sampling/noise/torch-generator.ts';
import { sigmaSchedules } from '../../../../engine/sampling/sigma-schedule.ts';
import { adaptiveOffsetNoise, trainingNoise } from '../../../../engine/training/noise.ts';
import { flowWeights } from '../../../../engine/training/objective/sample-weights.ts';
import {
  placeOf,
  timestepSamplings,
  weightingSchemes,
} from '../../../../engine/training/timesteps/script-times.ts';
import { type FlowShift, fluxShift } from '../../../../engine/training/timesteps/shift.ts';
import {
  type TimestepSettings,
  drawTimesteps,
} from '../../../../engine/training/timesteps/timesteps.ts';
import { type Comparison, compare } from '../../area.ts';
import { type Golden, type Params, type Values, against, exact, list } from './loss-case.ts';

export function noiseOffset(golden: Golden): Comparison[] {
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

export function percentToSigma(golden: Golden): Comparison[] {
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
export const timesteps =
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

/** The case's own shift, the same for every size. */
export const fixed = ({ shift }: Params): FlowShift => ({ shift });
/** A DDPM draw within the case's range. */
export const within =
  (contentOrStyle?: 'content' | 'style') =>
  (params: Params): TimestepSettings => ({
    type: 'ddpm',
    contentOrStyle,
    minDenoisingSteps: params.min,
    maxDenoisingSteps: params.max,
  });

export function scriptTimes(golden: Golden): Comparison[] {
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
