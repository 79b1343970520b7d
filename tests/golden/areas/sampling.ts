/** Golden area `sampling`: sigma tables, samplers, guidance, inpainting, conditioning areas. */
import { join } from 'node:path';
import { goldenFiles } from '../../support/golden.ts';
import type { CaseResult, Comparison, GoldenArea } from '../area.ts';
import { type GoldenCase, openCase } from '../open-case.ts';
import { conditioningNodes } from '../sampling/conditioning-nodes.ts';
import { addNoiseNode, areas, customOutputs, customSampling } from '../sampling/custom.ts';
import { ksampler } from '../sampling/ksampler.ts';
import { schedulerNodes, sigmaNodes } from '../sampling/sigma-nodes.ts';
import {
  ksamplerSchedules,
  modelSampling,
  modelSamplingNodeCases,
  schedules,
} from '../sampling/tables.ts';

/** Operations by the name in the case's metadata; they read their own parameters from it. */
type Operation = (golden: GoldenCase<never>) => Comparison[] | Promise<CaseResult>;

const operations: Readonly<Record<string, Operation>> = {
  model_sampling: modelSampling,
  'model sampling patch nodes': modelSamplingNodeCases,
  calculate_sigmas: schedules,
  'KSampler sigma slicing': ksamplerSchedules,
  ksampler,
  'scheduler nodes': schedulerNodes,
  'sigma manipulation nodes': sigmaNodes,
  sample_custom: customSampling,
  SamplerCustom: customOutputs,
  'sample with conditioning areas': areas,
  AddNoise: addNoiseNode,
  'ConditioningAverage/Concat/ZeroOut': conditioningNodes,
};

export const area: GoldenArea = {
  name: 'sampling',
  list: async (dir) =>
    goldenFiles(dir, '.safetensors').map((file) => file.replace('.safetensors', '')),
  async run(dir, name) {
    const golden = await openCase<{ op: string }>(join(dir, `${name}.safetensors`));
    const operation = operations[golden.params.op];
    if (!operation) return { skip: `operation '${golden.params.op}' is not known` };
    const result = await operation(golden as GoldenCase<never>);
    return Array.isArray(result) ? { comparisons: result } : result;
  },
};
