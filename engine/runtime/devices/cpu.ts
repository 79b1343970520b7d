/** The processor as a device: always there. */
import { processorName } from '../../processor.ts';
import { deviceKinds } from '../providers.ts';
import type { Device } from './device.ts';

export const cpuDevice = (): Device => ({
  id: 'cpu',
  kind: 'cpu',
  index: 0,
  name: processorName(),
  type: 'cpu',
  precisions: Object.keys(deviceKinds.cpu),
  environment: {},
});
