/** ComfyUI's samplers by name. */
import { NoodleError } from '../errors.ts';
import type { SamplerDefinition } from './sampler.ts';
import { dpm2, dpm2Ancestral } from './samplers/dpm-2.ts';
import { dpmpp2m } from './samplers/dpmpp-2m.ts';
import { dpmpp2mSde, dpmpp3mSde, dpmppSde } from './samplers/dpmpp-sde.ts';
import { eulerAncestral } from './samplers/euler-ancestral.ts';
import { euler } from './samplers/euler.ts';
import { heun, heunpp2 } from './samplers/heun.ts';
import { ddpm, lcm } from './samplers/lcm.ts';
import { uniPc } from './samplers/uni-pc.ts';

/** All names, in the order of ComfyUI's lists. */
export const samplerNames = [
  'euler',
  'euler_cfg_pp',
  'euler_ancestral',
  'euler_ancestral_cfg_pp',
  'heun',
  'heunpp2',
  'dpm_2',
  'dpm_2_ancestral',
  'lms',
  'dpm_fast',
  'dpm_adaptive',
  'dpmpp_2s_ancestral',
  'dpmpp_2s_ancestral_cfg_pp',
  'dpmpp_sde',
  'dpmpp_sde_gpu',
  'dpmpp_2m',
  'dpmpp_2m_cfg_pp',
  'dpmpp_2m_sde',
  'dpmpp_2m_sde_gpu',
  'dpmpp_2m_sde_heun',
  'dpmpp_2m_sde_heun_gpu',
  'dpmpp_3m_sde',
  'dpmpp_3m_sde_gpu',
  'ddpm',
  'lcm',
  'ipndm',
  'ipndm_v',
  'deis',
  'res_multistep',
  'res_multistep_cfg_pp',
  'res_multistep_ancestral',
  'res_multistep_ancestral_cfg_pp',
  'gradient_estimation',
  'gradient_estimation_cfg_pp',
  'er_sde',
  'seeds_2',
  'seeds_3',
  'sa_solver',
  'sa_solver_pece',
  'ddim',
  'uni_pc',
  'uni_pc_bh2',
] as const;

export type SamplerName = (typeof samplerNames)[number];

/** The `_gpu` names draw their noise on the GPU in ComfyUI; on a CPU both are the same. */
export const samplers: Partial<Readonly<Record<SamplerName, SamplerDefinition>>> = {
  euler: { run: euler() },
  euler_ancestral: { run: eulerAncestral(), noise: 'seeded' },
  heun: { run: heun() },
  heunpp2: { run: heunpp2 },
  dpm_2: { run: dpm2(), dropPenultimate: true },
  dpm_2_ancestral: { run: dpm2Ancestral(), noise: 'seeded', dropPenultimate: true },
  dpmpp_sde: { run: dpmppSde(), noise: 'brownian' },
  dpmpp_sde_gpu: { run: dpmppSde(), noise: 'brownian' },
  dpmpp_2m: { run: dpmpp2m },
  dpmpp_2m_sde: { run: dpmpp2mSde(), noise: 'brownian' },
  dpmpp_2m_sde_gpu: { run: dpmpp2mSde(), noise: 'brownian' },
  dpmpp_2m_sde_heun: { run: dpmpp2mSde({ solver: 'heun' }), noise: 'brownian' },
  dpmpp_2m_sde_heun_gpu: { run: dpmpp2mSde({ solver: 'heun' }), noise: 'brownian' },
  dpmpp_3m_sde: { run: dpmpp3mSde(), noise: 'brownian' },
  dpmpp_3m_sde_gpu: { run: dpmpp3mSde(), noise: 'brownian' },
  ddpm: { run: ddpm, noise: 'seeded' },
  lcm: { run: lcm, noise: 'seeded' },
  ddim: { run: euler(), freshInpaintNoise: true },
  uni_pc: { run: uniPc('bh1'), dropPenultimate: true },
  uni_pc_bh2: { run: uniPc('bh2'), dropPenultimate: true },
};

/** The sampler of this name; throws BAD_INPUT for an unknown one, UNSUPPORTED for one that is missing. */
export function samplerByName(name: string): SamplerDefinition {
  const known = samplerNames.find((candidate) => candidate === name);
  if (!known) {
    const expected = `one of ${samplerNames.join(', ')}`;
    throw new NoodleError('BAD_INPUT', { subject: 'sampler', expected, got: name });
  }
  const definition = samplers[known];
  if (!definition) {
    throw new NoodleError('UNSUPPORTED', { what: `sampler '${name}' is not available yet` });
  }
  return definition;
}
