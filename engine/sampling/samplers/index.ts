/** All makers of samplers: one module to load when the first is asked for. */
export { eulerCfgPp, eulerPp } from './cfg-pp.ts';
export { dpmAdaptive } from './dpm-solver.ts';
export { dpmpp2sAncestral } from './dpmpp-2s-ancestral.ts';
export { dpmpp2mSde, dpmpp3mSde, dpmppSde } from './dpmpp-sde.ts';
export { erSde } from './er-sde.ts';
export { eulerAncestral } from './euler-ancestral.ts';
export { lcmUpscale } from './lcm-upscale.ts';
export { lcm } from './lcm.ts';
export { lms } from './multistep.ts';
export { saSolver, tauBetween } from './sa-solver.ts';
export { seeds2 } from './seeds.ts';
export { samplerByName } from './table.ts';
