/**
 * The CUDA provider, in half and in full precision. Not yet run on hardware.
 *
 * onnxruntime-node hands on the device's number alone (js/node/src/session_options_helper.cc): what the
 * provider could be told otherwise stays as it is by default. That is EXHAUSTIVE search for cuDNN's
 * algorithms (paid once for each size), an arena that grows by powers of two, TF32 products in full precision
 * (NVIDIA_TF32_OVERRIDE=0 in the environment turns them off) and no CUDA graphs. Its own layout pass
 * (prefer_nhwc) cannot be had, so the table writes pictures with their channels last itself.
 */
import { cuda as table } from '../../onnx/cuda.ts';
import { exactWithin } from '../../onnx/fused.ts';
import {
  type Provider,
  alwaysWide,
  fullPrecision,
  halfPrecision,
  noFacts,
  noWinograd,
} from '../provider.ts';

export const cuda = {
  name: 'cuda',
  memory: 'device',
  table,
  ...halfPrecision(exactWithin),
  widen: 'weights',
  widens: alwaysWide,
  winogradBytes: noWinograd,
  session: { optimization: 'extended', providers: ['cuda', 'cpu'] },
  probe: noFacts,
} satisfies Provider;

export const cudaFull = { ...cuda, ...fullPrecision } satisfies Provider;
