/** The devices that models can run on, for settings pages and `/system_stats`. */
import { cpus, freemem, totalmem } from 'node:os';
import { providers } from './providers.ts';

export interface Device {
  /** `cpu`, or a provider and its number. */
  readonly id: string;
  readonly name: string;
  /** The provider's name. */
  readonly type: string;
  readonly totalMemory: number;
  readonly freeMemory: number;
}

/** All devices, the CPU first. */
export function listDevices(): Device[] {
  const name = cpus()[0]?.model.trim() ?? 'cpu';
  const { name: type } = providers.cpu;
  return [{ id: type, name, type, totalMemory: totalmem(), freeMemory: freemem() }];
}
