/** The processor as a device: always there. */
import { cpus } from 'node:os';
import { deviceKinds } from '../providers.ts';
import type { Device } from './device.ts';

export const cpuDevice = (): Device => ({
  id: 'cpu',
  kind: 'cpu',
  index: 0,
  name: cpus()[0]?.model.trim() ?? 'cpu',
  type: 'cpu',
  precisions: Object.keys(deviceKinds.cpu),
  environment: {},
});
