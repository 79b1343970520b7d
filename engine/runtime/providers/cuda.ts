/** The CUDA provider, in half and in full precision. */
import { portable } from '../../onnx/portable.ts';
import { type Provider, fullPrecision, halfPrecision, noFacts, noWinograd } from '../provider.ts';

export const cuda = {
  name: 'cuda',
  memory: 'device',
  // scores, and what softmax makes of them
  scoreCopies: 2,
  table: portable,
  ...halfPrecision,
  widen: 'weights',
  widestBytes: Infinity,
  winogradBytes: noWinograd,
  session: { optimization: 'extended', providers: ['cuda', 'cpu'] },
  probe: noFacts,
} satisfies Provider;

export const cudaFull = { ...cuda, ...fullPrecision } satisfies Provider;
