/** The WebGPU provider, in half and in full precision. */
import { webgpu as table } from '../../onnx/webgpu.ts';
import { type Provider, fullPrecision, halfPrecision, noFacts, noWinograd } from '../provider.ts';

export const webgpu = {
  name: 'webgpu',
  table,
  ...halfPrecision,
  widen: 'weights',
  widestBytes: Infinity,
  winogradBytes: noWinograd,
  session: { optimization: 'extended', providers: ['webgpu', 'cpu'] },
  probe: noFacts,
} satisfies Provider;

export const webgpuFull = { ...webgpu, ...fullPrecision } satisfies Provider;
