/** Nodes that change how a model's predictions are joined: hooks on its guidance. */
import { boolean, conditioning, float, inModule, int, model, optional } from '../engine/node.ts';
import type { Model, NodeDefinition } from '../engine/node.ts';
import { freSca } from '../engine/sampling/guidance/frequency.ts';
import type { GuidanceHooks } from '../engine/sampling/guidance/hooks.ts';
import {
  adaptiveProjectedGuidance,
  perpNegPatch,
  tangentialDamping,
} from '../engine/sampling/guidance/projected.ts';
import {
  cfgBetween,
  cfgNorm,
  cfgNormBefore,
  cfgZeroStar,
  epsilonScaling,
  mahiro,
  renormCfg,
  rescaleCfg,
  temporalScoreRescaling,
  videoLinearCfg,
  videoTriangleCfg,
} from '../engine/sampling/guidance/rescale.ts';
import { perturbedGuidance } from '../engine/sampling/guidance/perturbed.ts';
import { selfAttentionGuidance } from '../engine/sampling/guidance/self-attention.ts';
import {
  type StepCacheOptions,
  easyCache,
  lazyCache,
} from '../engine/sampling/guidance/step-cache.ts';
import { differentialDiffusion } from '../engine/sampling/inpaint.ts';
import { cfgOptions } from './sampling-sockets.ts';

/** The model with hooks behind those it has; what can be there once replaces the one before. */
export function guided(model: Model, hooks: GuidanceHooks): [Model] {
  const { before = [], after = [], predict = [], ...rest } = model.guidance ?? {};
  const guidance: GuidanceHooks = {
    ...rest,
    ...hooks,
    before: [...before, ...(hooks.before ?? [])],
    after: [...after, ...(hooks.after ?? [])],
    predict: [...predict, ...(hooks.predict ?? [])],
  };
  return [{ ...model, guidance }];
}

const outputs = [{ type: 'MODEL' }];
const patched = [{ type: 'MODEL', name: 'patched_model' }];
const extras = (file: string) => inModule(`comfy_extras.${file}`, 'v3');
const video = inModule('comfy_extras.nodes_video_model', 'v1', {
  category: 'sampling/video_models',
  outputs,
});

/** A node that leaves out steps in which little changes. */
const stepCache = (name: string, hooks: (options: StepCacheOptions) => GuidanceHooks) =>
  extras('nodes_easycache')({
    name,
    displayName: name,
    category: 'advanced/debug/model',
    experimental: true,
    inputs: {
      model: model({}),
      reuse_threshold: float({ default: 0.2, min: 0, max: 3, step: 0.01 }),
      start_percent: float({ default: 0.15, min: 0, max: 1, step: 0.01 }),
      end_percent: float({ default: 0.95, min: 0, max: 1, step: 0.01 }),
      verbose: boolean({ default: false }),
    },
    outputs,
    run({ model, verbose, ...inputs }, { services }) {
      const report = (message: string): void => services.log?.('INFO', message);
      const options = {
        threshold: inputs.reuse_threshold,
        start: inputs.start_percent,
        end: inputs.end_percent,
      };
      return guided(model, hooks(verbose ? { ...options, report } : options));
    },
  });

export const guidanceNodes: readonly NodeDefinition[] = [
  inModule(
    'comfy_extras.nodes_model_advanced',
    'v1',
  )({
    name: 'RescaleCFG',
    displayName: 'RescaleCFG',
    category: 'advanced/model',
    inputs: { model: model(), multiplier: float({ default: 0.7, min: 0, max: 1, step: 0.01 }) },
    outputs,
    run: ({ model, multiplier }) => guided(model, { combine: rescaleCfg(multiplier) }),
  }),
  extras('nodes_lumina2')({
    name: 'RenormCFG',
    category: 'advanced/model',
    inputs: {
      model: model({}),
      cfg_trunc: float({ default: 100n, min: 0, max: 100, step: 0.01 }),
      renorm_cfg: float({ default: 1, min: 0, max: 100, step: 0.01 }),
    },
    outputs,
    run: ({ model, cfg_trunc: cfgTrunc, renorm_cfg: renorm }) =>
      guided(model, { combine: renormCfg({ cfgTrunc, renorm }) }),
  }),
  extras('nodes_perpneg')({
    name: 'PerpNeg',
    displayName: 'Perp-Neg (DEPRECATED by PerpNegGuider)',
    category: '_for_testing',
    deprecated: true,
    experimental: true,
    inputs: {
      model: model({}),
      empty_conditioning: conditioning({}),
      neg_scale: float({ default: 1, min: 0, max: 100, step: 0.01 }),
    },
    outputs,
    run: ({ model, empty_conditioning, neg_scale }) =>
      guided(model, { combine: perpNegPatch(empty_conditioning, neg_scale) }),
  }),
  extras('nodes_cfg')({
    name: 'CFGZeroStar',
    category: 'advanced/guidance',
    inputs: { model: model({}) },
    outputs: patched,
    run: ({ model }) => guided(model, { after: [cfgZeroStar] }),
  }),
  extras('nodes_cfg')({
    name: 'CFGNorm',
    category: 'advanced/guidance',
    experimental: true,
    inputs: {
      model: model({}),
      strength: float({ default: 1, min: 0, max: 100, step: 0.01 }),
      pre_cfg: optional(boolean({ default: false })),
    },
    outputs: patched,
    run: ({ model, strength, pre_cfg }) =>
      guided(
        model,
        pre_cfg ? { combine: cfgNormBefore(strength) } : { after: [cfgNorm(strength)] },
      ),
  }),
  extras('nodes_pag')({
    name: 'PerturbedAttentionGuidance',
    category: 'model_patches/unet',
    inputs: {
      model: model({}),
      scale: float({ default: 3, min: 0, max: 100, step: 0.01, round: 0.01 }),
    },
    outputs,
    async run({ model, scale }) {
      const { perturbedAttention } = await import('../engine/patch/perturbed-attention.ts');
      return guided(model, { after: [perturbedGuidance(perturbedAttention, scale)] });
    },
  }),
  extras('nodes_sag')({
    name: 'SelfAttentionGuidance',
    displayName: 'Self-Attention Guidance',
    category: '_for_testing',
    experimental: true,
    inputs: {
      model: model({}),
      scale: float({ default: 0.5, min: -2, max: 5, step: 0.01 }),
      blur_sigma: float({ default: 2, min: 0, max: 10, step: 0.1 }),
    },
    outputs,
    async run({ model, scale, blur_sigma: blurSigma }) {
      const { withAttentionMap } = await import('../engine/values/unet-patches.ts');
      const { attentionMap } = await import('../engine/patch/attention-map.ts');
      return guided(withAttentionMap(model), {
        after: [selfAttentionGuidance(attentionMap, { scale, blurSigma })],
        alwaysUncond: true,
      });
    },
  }),
  extras('nodes_mahiro')({
    name: 'Mahiro',
    displayName: 'Mahiro is so cute that she deserves a better guidance function!! (。・ω・。)',
    category: '_for_testing',
    experimental: true,
    inputs: { model: model({}) },
    outputs: patched,
    run: ({ model }) => guided(model, { after: [mahiro] }),
  }),
  extras('nodes_tcfg')({
    name: 'TCFG',
    displayName: 'Tangential Damping CFG',
    category: 'advanced/guidance',
    inputs: { model: model({}) },
    outputs: patched,
    run: ({ model }) => guided(model, { before: [tangentialDamping] }),
  }),
  extras('nodes_apg')({
    name: 'APG',
    displayName: 'Adaptive Projected Guidance',
    category: 'sampling/custom_sampling',
    inputs: {
      model: model({}),
      eta: float({ default: 1, min: -10, max: 10, step: 0.01 }),
      norm_threshold: float({ default: 5, min: 0, max: 50, step: 0.1 }),
      momentum: float({ default: 0, min: -5, max: 1, step: 0.01 }),
    },
    outputs,
    run: ({ model, eta, norm_threshold: normThreshold, momentum }) =>
      guided(model, { before: [adaptiveProjectedGuidance({ eta, normThreshold, momentum })] }),
  }),
  extras('nodes_fresca')({
    name: 'FreSca',
    displayName: 'FreSca',
    category: '_for_testing',
    experimental: true,
    inputs: {
      model: model({}),
      scale_low: float({ default: 1, min: 0n, max: 10n, step: 0.01 }),
      scale_high: float({ default: 1.25, min: 0n, max: 10n, step: 0.01 }),
      freq_cutoff: int({ default: 20, min: 1, max: 10000, step: 1 }),
    },
    outputs,
    run: ({ model, scale_low: scaleLow, scale_high: scaleHigh, freq_cutoff: cutoff }) =>
      guided(model, { before: [freSca({ scaleLow, scaleHigh, cutoff })] }),
  }),
  extras('nodes_eps')({
    name: 'Epsilon Scaling',
    category: 'model_patches/unet',
    inputs: {
      model: model({}),
      scaling_factor: float({ default: 1.005, min: 0.5, max: 1.5, step: 0.001, display: 'number' }),
    },
    outputs,
    run: ({ model, scaling_factor }) => guided(model, { after: [epsilonScaling(scaling_factor)] }),
  }),
  extras('nodes_eps')({
    name: 'TemporalScoreRescaling',
    displayName: 'TSR - Temporal Score Rescaling',
    category: 'model/patch/unet',
    inputs: {
      model: model({}),
      tsr_k: float({
        default: 0.95,
        min: 0.01,
        max: 100,
        step: 0.001,
        display: 'number',
        advanced: true,
      }),
      tsr_sigma: float({
        default: 1,
        min: 0.01,
        max: 100,
        step: 0.001,
        display: 'number',
        advanced: true,
      }),
    },
    outputs: patched,
    run: ({ model, tsr_k: k, tsr_sigma: sigma }) =>
      guided(model, { after: [temporalScoreRescaling({ k, sigma })] }),
  }),
  extras('nodes_custom_sampler')({
    name: 'CFGOverride',
    displayName: 'CFG Override',
    category: 'model/sampling/guiders',
    inputs: {
      model: model({}),
      cfg: float({ ...cfgOptions, default: 1 }),
      start_percent: float({ default: 0, min: 0, max: 1, step: 0.001 }),
      end_percent: float({ default: 1, min: 0, max: 1, step: 0.001 }),
    },
    outputs,
    run: ({ model, cfg, start_percent: start, end_percent: end }) =>
      guided(model, { predict: [cfgBetween(cfg, { start, end })] }),
  }),
  extras('nodes_nag')({
    name: 'NAGuidance',
    displayName: 'Normalized Attention Guidance',
    category: 'advanced/guidance',
    experimental: true,
    inputs: {
      model: model({}),
      nag_scale: float({ default: 5, min: 0, max: 50, step: 0.1 }),
      nag_alpha: float({ default: 0.5, min: 0, max: 1, step: 0.01 }),
      nag_tau: float({ default: 1.5, min: 1, max: 10, step: 0.01 }),
    },
    outputs,
    async run({ model, nag_scale: scale, nag_alpha: alpha, nag_tau: tau }) {
      const { withNormalizedAttention } = await import('../engine/values/unet-patches.ts');
      const changed = withNormalizedAttention(model, { scale, alpha, tau });
      return guided(changed, { alwaysUncond: true });
    },
  }),
  extras('nodes_differential_diffusion')({
    name: 'DifferentialDiffusion',
    displayName: 'Differential Diffusion',
    category: '_for_testing',
    experimental: true,
    inputs: {
      model: model({}),
      strength: optional(float({ default: 1, min: 0, max: 1, step: 0.01 })),
    },
    outputs,
    run: ({ model, strength }) => guided(model, { mask: differentialDiffusion(strength) }),
  }),
  stepCache('EasyCache', (options) => ({ network: easyCache(options) })),
  stepCache('LazyCache', (options) => ({ predict: [lazyCache(options)] })),
  video({
    name: 'VideoLinearCFGGuidance',
    displayName: 'VideoLinearCFGGuidance',
    inputs: {
      model: model(),
      min_cfg: float({ default: 1, min: 0, max: 100, step: 0.5, round: 0.01 }),
    },
    run: ({ model, min_cfg }) => guided(model, { combine: videoLinearCfg(min_cfg) }),
  }),
  video({
    name: 'VideoTriangleCFGGuidance',
    displayName: 'VideoTriangleCFGGuidance',
    inputs: {
      model: model(),
      min_cfg: float({ default: 1, min: 0, max: 100, step: 0.5, round: 0.01 }),
    },
    run: ({ model, min_cfg }) => guided(model, { combine: videoTriangleCfg(min_cfg) }),
  }),
];
