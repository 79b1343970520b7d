/** The WebGPU provider, in half and in full precision. */
import { portable } from '../../onnx/portable.ts';
import { type Provider, fullPrecision, halfPrecision, noFacts, noWinograd } from '../provider.ts';

export const webgpu = {
  name: 'webgpu',
  table: portable,
  ...halfPrecision,
  widen: 'weights',
  widestBytes: Infinity,
  winogradBytes: noWinograd,
  session: { optimization: 'extended', providers: ['webgpu', 'cpu'] },
  probe: noFacts,
} satisfies Provider;

export const webgpuFull = { ...webgpu, ...fullPrecision } satisfies Provider;
