/** ComfyUI's samplers by name. */
import { NoodleError } from '../../errors.ts';
import { type SamplerName, samplerNames } from '../names.ts';
import type { SamplerDefinition } from './sampler.ts';
import { dpmpp2mCfgPp, dpmpp2sAncestralCfgPp, eulerCfgPp } from './cfg-pp.ts';
import { dpm2, dpm2Ancestral } from './dpm-2.ts';
import { dpmAdaptive, dpmFast } from './dpm-solver.ts';
import { dpmpp2m } from './dpmpp-2m.ts';
import { dpmpp2sAncestral } from './dpmpp-2s-ancestral.ts';
import { dpmpp2mSde, dpmpp3mSde, dpmppSde } from './dpmpp-sde.ts';
import { erSde } from './er-sde.ts';
import { eulerAncestral } from './euler-ancestral.ts';
import { euler } from './euler.ts';
import { heun, heunpp2 } from './heun.ts';
import { ddpm, lcm } from './lcm.ts';
import { deis, ipndm, ipndmV, lms } from './multistep.ts';
import { gradientEstimation, resMultistep } from './res-multistep.ts';
import { saSolver } from './sa-solver.ts';
import { seeds2, seeds3 } from './seeds.ts';
import { uniPc } from './uni-pc.ts';

/** The `_gpu` names draw their noise on the GPU in ComfyUI; on a CPU both are the same. */
export const samplers = {
  euler: { run: euler() },
  euler_cfg_pp: { run: eulerCfgPp(), usesUncond: true },
  euler_ancestral: { run: eulerAncestral() },
  euler_ancestral_cfg_pp: { run: eulerCfgPp({ eta: 1 }), usesUncond: true },
  heun: { run: heun() },
  heunpp2: { run: heunpp2() },
  dpm_2: { run: dpm2(), dropPenultimate: true },
  dpm_2_ancestral: { run: dpm2Ancestral(), dropPenultimate: true },
  lms: { run: lms() },
  dpm_fast: { run: dpmFast() },
  dpm_adaptive: { run: dpmAdaptive() },
  dpmpp_2s_ancestral: { run: dpmpp2sAncestral() },
  dpmpp_2s_ancestral_cfg_pp: { run: dpmpp2sAncestralCfgPp(), usesUncond: true },
  dpmpp_sde: { run: dpmppSde(), noise: 'brownian' },
  dpmpp_sde_gpu: { run: dpmppSde(), noise: 'brownian' },
  dpmpp_2m: { run: dpmpp2m() },
  dpmpp_2m_cfg_pp: { run: dpmpp2mCfgPp(), usesUncond: true },
  dpmpp_2m_sde: { run: dpmpp2mSde(), noise: 'brownian' },
  dpmpp_2m_sde_gpu: { run: dpmpp2mSde(), noise: 'brownian' },
  dpmpp_2m_sde_heun: { run: dpmpp2mSde({ solver: 'heun' }), noise: 'brownian' },
  dpmpp_2m_sde_heun_gpu: { run: dpmpp2mSde({ solver: 'heun' }), noise: 'brownian' },
  dpmpp_3m_sde: { run: dpmpp3mSde(), noise: 'brownian' },
  dpmpp_3m_sde_gpu: { run: dpmpp3mSde(), noise: 'brownian' },
  ddpm: { run: ddpm() },
  lcm: { run: lcm() },
  ipndm: { run: ipndm() },
  ipndm_v: { run: ipndmV() },
  deis: { run: deis() },
  res_multistep: { run: resMultistep() },
  res_multistep_cfg_pp: { run: resMultistep({ cfgPp: true }), usesUncond: true },
  res_multistep_ancestral: { run: resMultistep({ eta: 1 }) },
  res_multistep_ancestral_cfg_pp: {
    run: resMultistep({ eta: 1, cfgPp: true }),
    usesUncond: true,
  },
  gradient_estimation: { run: gradientEstimation() },
  gradient_estimation_cfg_pp: { run: gradientEstimation({ cfgPp: true }), usesUncond: true },
  er_sde: { run: erSde() },
  exp_heun_2_x0: { run: seeds2({ r: 1, solver: 'phi_2', eta: 0, sNoise: 0 }) },
  exp_heun_2_x0_sde: { run: seeds2({ r: 1, solver: 'phi_2' }) },
  seeds_2: { run: seeds2() },
  seeds_3: { run: seeds3() },
  sa_solver: { run: saSolver() },
  sa_solver_pece: { run: saSolver({ pece: true }) },
  ddim: { run: euler(), freshInpaintNoise: true },
  uni_pc: { run: uniPc('bh1'), dropPenultimate: true, lastSigma: 0.001 },
  uni_pc_bh2: { run: uniPc('bh2'), dropPenultimate: true, lastSigma: 0.001 },
} satisfies Record<SamplerName, SamplerDefinition>;

/** The sampler of this name; throws BAD_INPUT for a name that is not in the table. */
export function samplerByName(name: string): SamplerDefinition {
  const known = samplerNames.find((candidate) => candidate === name);
  if (known) return samplers[known];
  const expected = `one of ${samplerNames.join(', ')}`;
  throw new NoodleError('BAD_INPUT', { subject: 'sampler', expected, got: name });
}
