/** The WebGPU provider, in half and in full precision, and with weights in whole numbers. */
import { exactWithin } from '../../onnx/fused.ts';
import {
  isBlockedShape,
  webgpuInt8 as int8Table,
  webgpuInt8InSteps,
} from '../../onnx/webgpu-int8.ts';
import { webgpu as table, webgpuInSteps } from '../../onnx/webgpu.ts';
import { bytesInCodes } from '../../onnx/webgpu-codes.ts';
import { attentionOps } from '../../tensor/ops/attention.ts';
import { windowOps } from '../../tensor/ops/windows.ts';
import { type Tensor, isOp } from '../../tensor/tensor.ts';
import { int8Block } from '../../weights/int8.ts';
import { type Provider, fullPrecision, halfPrecision, noFacts, noWinograd } from '../provider.ts';

/** Channels of latents and pictures, at most. */
const fewChannels = 16;

/**
 * Convolutions from or to latents and pictures: the kernels add up in halves, and the sampler takes
 * what is lost in a prediction many times over. Exact they cost little, being of few channels; the
 * bundled model's picture is 53.9 dB near that in full precision with them, 34.4 dB without.
 */
function isEnd(tensor: Tensor): boolean {
  if (!isOp(windowOps.conv, tensor)) return false;
  const [outputs, inputs] = tensor.inputs[1].shape as readonly number[]; // stored tensors have fixed sizes
  return Math.min(outputs, inputs) <= fewChannels && tensor.attrs.groups === 1;
}

/** Scores of an attention, and what softmax makes of them: they are written down. */
const scores: Provider['inside'] = (tensor, size, real) => {
  if (!isOp(attentionOps.attention, tensor)) return 0;
  const [q, k] = tensor.inputs;
  return 2 * real * tensor.attrs.heads * size(q.shape[0]) * size(q.shape[1]) * size(k.shape[1]);
};

const halves = halfPrecision(exactWithin);

export const webgpu = {
  name: 'webgpu',
  memory: 'device',
  keepsResults: true,
  inside: scores,
  // larger ones have no bucket (BUCKET_DEFAULT_LIMIT_TABLE in buffer_manager.cc)
  lateBytes: 160 * 2 ** 20,
  table,
  ...halves,
  exact: (tensor, weighted) => isEnd(tensor) || halves.exact(tensor, weighted),
  widen: 'weights',
  widestBytes: Infinity,
  inCodes: bytesInCodes,
  winogradBytes: noWinograd,
  session: { optimization: 'extended', providers: ['webgpu', 'cpu'] },
  // ONNX Runtime 1.30's flash attention is wrong on Mesa's driver in software from 64 tokens on, and drivers in
  // software take up to minutes to compile it: a device has it when it was seen to compute it rightly.
  inSteps: { table: webgpuInSteps },
  probe: noFacts,
} satisfies Provider;

export const webgpuFull = { ...webgpu, ...fullPrecision } satisfies Provider;

export const webgpuInt8 = {
  ...webgpu,
  table: int8Table,
  // with the steps of its block
  int8: (shape) => (isBlockedShape(shape) ? 1 + 2 / int8Block : undefined),
  inSteps: { table: webgpuInt8InSteps },
} satisfies Provider;
