/** Golden cases of SamplerCustom: sampler nodes with options, guidance nodes, areas, AddNoise. */
import { map } from '../../../engine/array/elementwise.ts';
import { type NDArray, zeros } from '../../../engine/array/nd.ts';
import type { UpscaleMethod } from '../../../engine/array/resize.ts';
import { addNoise } from '../../../engine/sampling/add-noise.ts';
import type { Area, ConditioningEntry } from '../../../engine/sampling/conditioning.ts';
import { sampleCustom } from '../../../engine/sampling/driver.ts';
import { cfgGuider } from '../../../engine/sampling/guidance/cfg.ts';
import { latentFormat } from '../../../engine/sampling/latent/formats.ts';
import { prepareNoise } from '../../../engine/sampling/noise/prepare-noise.ts';
import type { Sampler, SamplerDefinition } from '../../../engine/sampling/samplers/sampler.ts';
import { eulerCfgPp, eulerPp } from '../../../engine/sampling/samplers/cfg-pp.ts';
import { dpm2 } from '../../../engine/sampling/samplers/dpm-2.ts';
import { dpmAdaptive } from '../../../engine/sampling/samplers/dpm-solver.ts';
import { dpmpp2sAncestral } from '../../../engine/sampling/samplers/dpmpp-2s-ancestral.ts';
import { dpmpp2mSde, dpmpp3mSde, dpmppSde } from '../../../engine/sampling/samplers/dpmpp-sde.ts';
import { erSde } from '../../../engine/sampling/samplers/er-sde.ts';
import { eulerAncestral } from '../../../engine/sampling/samplers/euler-ancestral.ts';
import { type Churn, euler } from '../../../engine/sampling/samplers/euler.ts';
import { heun } from '../../../engine/sampling/samplers/heun.ts';
import { lcmUpscale } from '../../../engine/sampling/samplers/lcm-upscale.ts';
import { lms } from '../../../engine/sampling/samplers/multistep.ts';
import { saSolver, tauBetween } from '../../../engine/sampling/samplers/sa-solver.ts';
import { samplers } from '../../../engine/sampling/samplers/table.ts';
import { type CaseResult, type Comparison, compare } from '../area.ts';
import type { GoldenCase } from '../open-case.ts';
import { analyticModel, muEntry } from './analytic-model.ts';
import { guidanceNodes } from './guidance-nodes.ts';
import { type Options, reader } from './options.ts';
import { samplingOf } from './settings.ts';
import {
  compareTrajectory,
  conditioningOf,
  runTrajectory,
  type RunSettings,
  type TrajectoryCase,
  type TrajectoryParams,
} from './trajectory.ts';

const plain = (run: Sampler): SamplerDefinition => ({ run });
const brownian = (run: Sampler): SamplerDefinition => ({ run, noise: 'brownian' });
const ancestral = (o: Options): { eta: number; sNoise: number } => ({
  eta: Number(o['eta']),
  sNoise: Number(o['s_noise']),
});
const churn = (o: Options): Churn => {
  const { num } = reader(o);
  return {
    churn: num('s_churn'),
    tMin: num('s_tmin'),
    tMax: num('s_tmax'),
    sNoise: num('s_noise'),
  };
};

const erSolvers = { 'ER-SDE': 'er-sde', 'Reverse-time SDE': 'reverse', ODE: 'ode' } as const;

/** Sampler nodes by class name: what they make of their options. */
const samplerNodes: Readonly<
  Record<string, (o: Options, params: TrajectoryParams) => SamplerDefinition>
> = {
  SamplerDPMAdaptative: (o) => {
    const { num } = reader(o);
    const run = dpmAdaptive({
      ...ancestral(o),
      order: num('order') as 2 | 3,
      rtol: num('rtol'),
      atol: num('atol'),
      hInit: num('h_init'),
      pCoeff: num('pcoeff'),
      iCoeff: num('icoeff'),
      dCoeff: num('dcoeff'),
      acceptSafety: num('accept_safety'),
    });
    return plain(run);
  },
  SamplerDPMPP_2M_SDE: (o) =>
    brownian(dpmpp2mSde({ ...ancestral(o), solver: o['solver_type'] as 'heun' })),
  SamplerDPMPP_3M_SDE: (o) => brownian(dpmpp3mSde(ancestral(o))),
  SamplerDPMPP_SDE: (o) => brownian(dpmppSde({ ...ancestral(o), r: Number(o['r']) })),
  SamplerDPMPP_2S_Ancestral: (o) => plain(dpmpp2sAncestral(ancestral(o))),
  SamplerEulerAncestral: (o) => plain(eulerAncestral(ancestral(o))),
  SamplerEulerAncestralCFGPP: (o) => ({ run: eulerCfgPp(ancestral(o)), usesUncond: true }),
  SamplerEulerCFGpp: (o) => ({
    run: o['version'] === 'alternative' ? eulerPp() : eulerCfgPp(),
    usesUncond: true,
  }),
  SamplerER_SDE: (o) =>
    plain(
      erSde({
        ...ancestral(o),
        maxStage: Number(o['max_stage']),
        solver: erSolvers[o['solver_type'] as 'ODE'],
      }),
    ),
  SamplerLCMUpscale: (o) => {
    const { num } = reader(o);
    return plain(
      lcmUpscale({
        ratio: num('scale_ratio'),
        method: o['upscale_method'] as UpscaleMethod,
        ...(num('scale_steps') >= 0 && { steps: num('scale_steps') }),
      }),
    );
  },
  SamplerLMS: (o) => plain(lms(Number(o['order']))),
  SamplerSASolver: (o, { model }) => {
    const { num, flag } = reader(o);
    const { percentToSigma } = samplingOf(model.type, model.settings);
    const [start, end] = [num('sde_start_percent'), num('sde_end_percent')].map(percentToSigma);
    const run = saSolver({
      predictorOrder: num('predictor_order'),
      correctorOrder: num('corrector_order'),
      pece: flag('use_pece'),
      simpleOrder2: flag('simple_order_2'),
      sNoise: num('s_noise'),
      tau: tauBetween(start, end, num('eta')),
    });
    return plain(run);
  },
};

const churning: Readonly<Record<string, (options: Churn) => Sampler>> = {
  euler,
  heun,
  dpm_2: dpm2,
};

/** What a `sample_custom` case runs, or why it cannot be run. */
function settingsOf(golden: TrajectoryCase): RunSettings | { readonly skip: string } {
  const { params } = golden;
  const { sampler: name, options = {} } = params;
  const [kind, rest] = [name.slice(0, name.indexOf('_')), name.slice(name.indexOf('_') + 1)];
  if (kind === 'node') {
    const node = Object.keys(samplerNodes)
      .filter((candidate) => rest === candidate || rest.startsWith(`${candidate}_`))
      .reduce((a, b) => (b.length > a.length ? b : a), '');
    const make = samplerNodes[node];
    return make ? { sampler: make(options, params) } : { skip: `node ${rest} is not available` };
  }
  if (kind === 'churn' && churning[rest]) return { sampler: plain(churning[rest](churn(options))) };
  if (kind === 'guidance') {
    const found = guidanceNodes.find(([pattern]) => pattern.test(rest));
    if (!found) return { skip: `guidance '${rest}' is not available` };
    return { sampler: samplers.euler, ...found[1](options, golden) };
  }
  if (name === 'disable_noise_custom') return { sampler: samplers.euler_ancestral };
  return { skip: `custom sampling '${name}' is not known` };
}

/** With the reference's noises, and again with our own. */
export async function customSampling(golden: TrajectoryCase): Promise<CaseResult> {
  const settings = settingsOf(golden);
  if ('skip' in settings) return settings;
  const given = compareTrajectory(golden, await runTrajectory(golden, settings, 'given'));
  const fresh = settingsOf(golden);
  if ('skip' in fresh) return fresh;
  const own = await runTrajectory(golden, fresh, 'own');
  const expected = golden.array('out.samples');
  const result = compare('samples with own noise', own.samples, expected, golden.tolerance);
  return { comparisons: [...given, result] };
}

type Rectangle = Readonly<Record<'height' | 'width' | 'y' | 'x', number>>;

interface AreaCond {
  readonly mu: string;
  readonly area_px?: Rectangle;
  readonly area_percentage?: Rectangle;
  readonly mask?: string;
  readonly mask_strength?: number;
  readonly set_cond_area?: string;
  readonly strength?: number;
  readonly start?: number;
  readonly end?: number;
}

interface AreaParams extends TrajectoryParams {
  readonly conds: Readonly<Record<'pos' | 'neg', readonly (string | AreaCond)[]>>;
}

/** A mask as the metadata describes it. */
function namedMask(golden: GoldenCase<AreaParams>, name: string): NDArray {
  if (name === 'zeros') return zeros([1, ...golden.params.shape.slice(-2)]);
  const inverted = /^1 - (.+)$/.exec(name);
  return inverted ? map(golden.array(inverted[1]), (m) => 1 - m) : golden.array(name);
}

function areaEntry(golden: GoldenCase<AreaParams>, given: string | AreaCond): ConditioningEntry {
  const cond = typeof given === 'string' ? { mu: given } : given;
  const base = muEntry(golden.params[cond.mu as 'mu_pos'] ?? []);
  const { area_px: pixels, area_percentage: percentage } = cond;
  const cells = (length: number): number => Math.floor(length / 8);
  const box: Area | undefined = pixels
    ? {
        kind: 'cells',
        height: cells(pixels.height),
        width: cells(pixels.width),
        y: cells(pixels.y),
        x: cells(pixels.x),
      }
    : percentage && { kind: 'percentage', ...percentage };
  return {
    ...base,
    ...(box && { area: box }),
    ...(cond.strength !== undefined && { strength: cond.strength }),
    ...(cond.mask && { mask: namedMask(golden, cond.mask) }),
    ...(cond.mask_strength !== undefined && { maskStrength: cond.mask_strength }),
    ...(cond.set_cond_area === 'mask bounds' && { setAreaToBounds: true }),
    ...(cond.start !== undefined && { startPercent: cond.start }),
    ...(cond.end !== undefined && { endPercent: cond.end }),
  };
}

/** `areas_*`: conditioning with regions, masks, strengths and ranges. */
export async function areas(golden: GoldenCase<AreaParams>): Promise<CaseResult> {
  const { conds, cfg, sampler } = golden.params;
  const [positive, negative] = [conds.pos, conds.neg].map((list) =>
    list.map((cond) => areaEntry(golden, cond)),
  );
  const guider = cfgGuider({ positive, negative, cfg });
  const definition = samplers[sampler as 'euler'];
  const run = await runTrajectory(golden, { sampler: definition, guider }, 'given');
  return { comparisons: compareTrajectory(golden, run) };
}

/** `sampler_custom_outputs`: both outputs of a masked run, and of one that stops early. */
export async function customOutputs(golden: TrajectoryCase): Promise<CaseResult> {
  const { params, tolerance } = golden;
  const latent = golden.array('in.latent');
  const sigmas = golden.array('in.sigmas').data;
  const common = {
    model: analyticModel(params.model, latent.shape),
    guider: cfgGuider({ ...conditioningOf(golden), cfg: params.cfg }),
    sampler: samplers[params.sampler as 'euler'],
    noise: prepareNoise(latent.shape, BigInt(params.seed)),
    seed: BigInt(params.seed),
    latent,
  };
  const noiseMask = golden.array('in.noise_mask');
  const whole = await sampleCustom({ ...common, sigmas, noiseMask });
  const partial = await sampleCustom({ ...common, sigmas: sigmas.slice(0, 4) });
  const check = (name: string, got: NDArray): Comparison =>
    compare(name, got, golden.array(name), tolerance);
  return {
    comparisons: [
      check('out.samples', whole.samples),
      check('out.denoised', whole.denoised),
      check('out.advanced_partial_samples', partial.samples),
      check('out.advanced_partial_denoised', partial.denoised),
    ],
  };
}

/** `add_noise_node`: keys are `<eps|flow>_<which sigmas>`. */
export function addNoiseNode(golden: GoldenCase<{ seed: string }>): Comparison[] {
  const latent = golden.array('in.latent');
  const seed = BigInt(golden.params.seed);
  const models = { eps: samplingOf('EPS'), flow: samplingOf('FLOW', { shift: 3 }) };
  return golden.names
    .filter((name) => name.startsWith('out.'))
    .map((name) => {
      const key = name.slice(4);
      const modelSampling = models[key.split('_')[0] as 'eps'];
      const sigmas = golden.array(`in.${key}_sigmas`).data;
      const format = { ...latentFormat('SD15'), scale: 1 };
      const got = addNoise({ modelSampling, latentFormat: format }, { latent, seed, sigmas });
      return compare(name, got, golden.array(name), golden.tolerance);
    });
}
