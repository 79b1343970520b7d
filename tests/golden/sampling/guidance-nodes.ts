/** Guidance nodes of golden cases: hooks and guiders that they make of their options. */
import type { Conditioning } from '../../../engine/sampling/conditioning.ts';
import { cfgGuider } from '../../../engine/sampling/guidance/cfg.ts';
import type { GuidanceHooks, Guider } from '../../../engine/sampling/guidance/hooks.ts';
import { freSca } from '../../../engine/sampling/guidance/frequency.ts';
import { dualCfgGuider, perpNegGuider } from '../../../engine/sampling/guidance/guiders.ts';
import {
  adaptiveProjectedGuidance,
  perpNegPatch,
  tangentialDamping,
} from '../../../engine/sampling/guidance/projected.ts';
import {
  cfgNorm,
  cfgZeroStar,
  epsilonScaling,
  mahiro,
  rescaleCfg,
  videoLinearCfg,
  videoTriangleCfg,
} from '../../../engine/sampling/guidance/rescale.ts';
import {
  skipLayerGuidance,
  skipLayersOfNegative,
} from '../../../engine/sampling/guidance/skip-layers.ts';
import { muEntry } from './analytic-model.ts';
import { type Options, reader } from './options.ts';
import { samplingOf } from './settings.ts';
import { conditioningOf, type TrajectoryCase } from './trajectory.ts';

type GuidanceCase = (
  options: Options,
  golden: TrajectoryCase,
) => { readonly guidance?: GuidanceHooks; readonly guider?: Guider };

const middle = ({ params }: TrajectoryCase): Conditioning => [muEntry(params.mu_mid ?? [])];

/** Guidance nodes by the part of the case name behind `guidance_`. */
export const guidanceNodes: readonly (readonly [RegExp, GuidanceCase])[] = [
  [/^plain_cfg/, () => ({})],
  [
    /^apg/,
    (o) => {
      const { num } = reader(o);
      const hook = adaptiveProjectedGuidance({
        eta: num('eta'),
        normThreshold: num('norm_threshold'),
        momentum: num('momentum'),
      });
      return { guidance: { before: [hook] } };
    },
  ],
  [
    /^basic_guider/,
    (_, golden) => ({
      guider: cfgGuider({ positive: conditioningOf(golden).positive, cfg: 1 }),
    }),
  ],
  [/^cfg_norm/, (o) => ({ guidance: { after: [cfgNorm(Number(o['strength']))] } })],
  [/^cfg_zero_star/, () => ({ guidance: { after: [cfgZeroStar] } })],
  [
    /^dual_cfg/,
    (o, golden) => ({
      guider: dualCfgGuider({
        cond1: conditioningOf(golden).positive,
        cond2: middle(golden),
        negative: conditioningOf(golden).negative,
        cfgConds: Number(o['cfg_conds']),
        cfgCond2Negative: Number(o['cfg_cond2_negative']),
        nested: o['style'] === 'nested',
      }),
    }),
  ],
  [
    /^epsilon_scaling/,
    (o) => ({
      guidance: { after: [epsilonScaling(Number(o['scaling_factor']))] },
    }),
  ],
  [
    /^fresca/,
    (o) => {
      const { num } = reader(o);
      const hook = freSca({
        scaleLow: num('scale_low'),
        scaleHigh: num('scale_high'),
        cutoff: num('freq_cutoff'),
      });
      return { guidance: { before: [hook] } };
    },
  ],
  [/^mahiro/, () => ({ guidance: { after: [mahiro] } })],
  [
    /^perp_neg_guider/,
    (o, golden) => ({
      guider: perpNegGuider({
        ...conditioningOf(golden),
        empty: middle(golden),
        cfg: golden.params.cfg,
        negScale: Number(o['neg_scale']),
      }),
    }),
  ],
  [
    /^perp_neg_old/,
    (o, golden) => ({
      guidance: { combine: perpNegPatch(middle(golden), Number(o['neg_scale'])) },
    }),
  ],
  [/^rescale_cfg/, (o) => ({ guidance: { combine: rescaleCfg(Number(o['multiplier'])) } })],
  [
    /^rescale_then_eps_scaling/,
    (o) => ({
      guidance: {
        combine: rescaleCfg(Number(o['multiplier'])),
        after: [epsilonScaling(Number(o['scaling_factor']))],
      },
    }),
  ],
  [
    /^slg_dit_simple/,
    (o, golden) => ({
      guidance: { negativeModel: skipLayersOfNegative(skippedBy(o), levelsOf(o, golden)) },
    }),
  ],
  [
    /^slg_dit/,
    (o, golden) => {
      const strength = { scale: Number(o['scale']), rescale: Number(o['rescaling_scale'] ?? 0) };
      const options = { ...strength, ...levelsOf(o, golden) };
      return { guidance: { after: [skipLayerGuidance(skippedBy(o), options)] } };
    },
  ],
  [/^tcfg/, () => ({ guidance: { before: [tangentialDamping] } })],
  [/^video_linear_cfg/, (o) => ({ guidance: { combine: videoLinearCfg(Number(o['min_cfg'])) } })],
  [
    /^video_triangle_cfg/,
    (o) => ({
      guidance: { combine: videoTriangleCfg(Number(o['min_cfg'])) },
    }),
  ],
];

/** Blocks that the analytic model leaves out, by their numbers. */
const skippedBy = (o: Options): { identity: string } => {
  const numbers = [o['double_layers'], o['single_layers']].flatMap(
    (text) => String(text ?? '').match(/\d+/g) ?? [],
  );
  return { identity: numbers.join(' ') };
};

/** Noise levels between which a guidance acts. */
function levelsOf(o: Options, { params }: TrajectoryCase): { start: number; end: number } {
  const { percentToSigma } = samplingOf(params.model.type, params.model.settings);
  const [start, end] = ['start_percent', 'end_percent'].map((name) =>
    percentToSigma(Number(o[name])),
  );
  return { start, end };
}
