/**
 * Nodes that tell PyTorch how and where to compute. Here networks are always compiled, the provider chooses
 * the type that they are computed in, and an engine process computes on one device: workflows with these
 * nodes run, and give the same numbers without them.
 */
import { clip, combo, inModule, int, model, vae } from '../engine/node.ts';
import type { Context, NodeDefinition } from '../engine/node.ts';

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

export const modelAttentionBackend = inModule(
  'comfy_extras.nodes_model_advanced',
  'v1',
)({
  name: 'ModelAttentionBackend',
  displayName: 'ModelAttentionBackend',
  category: 'model/patch',
  description: 'Changes nothing here: the device’s provider chooses how attention is computed.',
  inputs: { model: model(), attention: combo(['pytorch attention']) },
  // workflows bring the names of kernels that are installed elsewhere
  validate: { inputs: ['attention'], check: () => true },
  outputs: [{ type: 'MODEL' }],
  run: ({ model }) => [model],
});

const defineDevice = inModule('comfy_extras.nodes_multigpu', 'v3', {
  category: 'advanced/multigpu',
});

export const multiGpuWorkUnits = defineDevice({
  name: 'MultiGPU_WorkUnits',
  displayName: 'MultiGPU CFG Split',
  description: 'Changes nothing here: an engine computes on one device.',
  inputs: { model: model({}), max_gpus: int({ default: 2, min: 1, step: 1 }) },
  outputs: [{ type: 'MODEL' }],
  run: ({ model }) => [model],
});

/** What the nodes below share: workflows name devices of the machine that they were made on. */
const place = {
  description: 'Changes nothing here: everything is computed on the engine’s device.',
  validate: { inputs: ['device'], check: () => true },
} as const;

/** A line in the log where a workflow asks for a device that is none of the choices. */
function tellDevice(node: string, device: string, { services }: Context): void {
  if (['default', 'cpu'].includes(device)) return;
  services.log?.('INFO', `${node}: device '${device}' is not available here, nothing is changed`);
}

export const selectModelDevice = defineDevice({
  ...place,
  name: 'SelectModelDevice',
  displayName: 'Select Model Device',
  inputs: { model: model({}), device: combo(['default', 'cpu'], { multiselect: false }) },
  outputs: [{ type: 'MODEL' }],
  run({ model, device }, context) {
    tellDevice('Select Model Device', device, context);
    return [model];
  },
});

export const selectClipDevice = defineDevice({
  ...place,
  name: 'SelectCLIPDevice',
  displayName: 'Select CLIP Device',
  inputs: { clip: clip({}), device: combo(['default', 'cpu'], { multiselect: false }) },
  outputs: [{ type: 'CLIP' }],
  run({ clip, device }, context) {
    tellDevice('Select CLIP Device', device, context);
    return [clip];
  },
});

export const selectVaeDevice = defineDevice({
  ...place,
  name: 'SelectVAEDevice',
  displayName: 'Select VAE Device',
  inputs: { vae: vae({}), device: combo(['default'], { multiselect: false }) },
  outputs: [{ type: 'VAE' }],
  run({ vae, device }, context) {
    tellDevice('Select VAE Device', device, context);
    return [vae];
  },
});

export const modelComputeNodes: readonly NodeDefinition[] = [
  torchCompileModel,
  modelComputeDtype,
  modelAttentionBackend,
  multiGpuWorkUnits,
  selectModelDevice,
  selectClipDevice,
  selectVaeDevice,
];
