/**
 * Nodes that tell PyTorch how to compute. Here networks are always compiled, and the provider chooses the
 * type that they are computed in: workflows with these nodes run, and give the same numbers without them.
 */
import { combo, inModule, model } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';

export const torchCompileModel = inModule(
  'comfy_extras.nodes_torch_compile',
  'v3',
)({
  name: 'TorchCompileModel',
  category: '_for_testing',
  description: 'Changes nothing here: networks are always compiled.',
  experimental: true,
  inputs: { model: model({}), backend: combo(['inductor', 'cudagraphs'], { multiselect: false }) },
  outputs: [{ type: 'MODEL' }],
  run: ({ model }) => [model],
});

export const modelComputeDtype = inModule(
  'comfy_extras.nodes_model_advanced',
  'v1',
)({
  name: 'ModelComputeDtype',
  displayName: 'ModelComputeDtype',
  category: 'advanced/debug/model',
  description: 'Changes nothing here: the device’s provider chooses what numbers are computed in.',
  inputs: { model: model(), dtype: combo(['default', 'fp32', 'fp16', 'bf16']) },
  outputs: [{ type: 'MODEL' }],
  run: ({ model }) => [model],
});

export const modelComputeNodes: readonly NodeDefinition[] = [torchCompileModel, modelComputeDtype];
