/** The devices that models can run on, for settings pages and `/system_stats`. */
import { cpus, freemem, totalmem } from 'node:os';

export interface Device {
  /** `cpu`, or a provider and its number. */
  readonly id: string;
  readonly name: string;
  readonly type: 'cpu';
  readonly totalMemory: number;
  readonly freeMemory: number;
}

/** All devices, the CPU first. */
export function listDevices(): Device[] {
  const name = cpus()[0]?.model.trim() ?? 'cpu';
  return [{ id: 'cpu', name, type: 'cpu', totalMemory: totalmem(), freeMemory: freemem() }];
}
