/** The WebGPU provider, in half and in full precision. */
import { exactWithin } from '../../onnx/fused.ts';
import { webgpu as table, webgpuInSteps } from '../../onnx/webgpu.ts';
import { windowOps } from '../../tensor/ops/windows.ts';
import { type Tensor, isOp } from '../../tensor/tensor.ts';
import {
  type Provider,
  alwaysWide,
  fullPrecision,
  halfPrecision,
  noFacts,
  noWinograd,
} from '../provider.ts';

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

const halves = halfPrecision(exactWithin);

export const webgpu = {
  name: 'webgpu',
  memory: 'device',
  keepsResults: true,
  // scores, and what softmax makes of them
  scoreCopies: 2,
  table,
  ...halves,
  exact: (tensor, weighted) => isEnd(tensor) || halves.exact(tensor, weighted),
  widen: 'weights',
  widens: alwaysWide,
  winogradBytes: noWinograd,
  session: { optimization: 'extended', providers: ['webgpu', 'cpu'] },
  // ONNX Runtime 1.30's flash attention is wrong on Mesa's driver in software from 64 tokens on, and drivers in
  // software take up to minutes to compile it: a device has it when it was seen to compute it rightly.
  inSteps: { table: webgpuInSteps },
  probe: noFacts,
} satisfies Provider;

export const webgpuFull = { ...webgpu, ...fullPrecision } satisfies Provider;
