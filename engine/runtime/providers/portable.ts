/** Standard operators only, on the CPU: what every other row starts from. */
import { portable as table } from '../../onnx/portable.ts';
import { type Provider, alwaysWide, fullPrecision, noFacts, noWinograd } from '../provider.ts';
import { cpu } from './cpu.ts';

export const portable = {
  name: 'portable',
  memory: 'host',
  table,
  ...fullPrecision,
  widen: 'weights',
  widens: alwaysWide,
  winogradBytes: noWinograd,
  session: cpu.session,
  probe: noFacts,
} satisfies Provider;
