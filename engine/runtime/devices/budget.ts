/** How much of a device's memory models may take when no number is given. */
import { defaultMemoryBudget } from '../memory.ts';
import type { Device } from './device.ts';

/** What was asked for on the command line; plain data. */
export interface VramWish {
  /** Part of the memory that a device has for itself. */
  readonly share: number;
  /** Bytes of it that are left to others. */
  readonly reserve: number;
}

/** Drivers, the desktop and what the counting misses take the rest. */
export const defaultVram: VramWish = { share: 0.9, reserve: 0 };

/** Whatever is reserved, models get this part: enough for them to run in parts. */
const LEAST = 0.05;

/**
 * Bytes for each of `engines` on the device: of its own memory as the wish says; where it has none, or
 * nobody says how much, of the machine's as on the processor, whose memory is not what the wish is about.
 */
export function deviceBudget(
  { memory }: Pick<Device, 'memory'>,
  { share, reserve }: VramWish,
  engines = 1,
): number {
  const bytes =
    memory === undefined
      ? defaultMemoryBudget()
      : Math.max(memory * share - reserve, memory * LEAST);
  return Math.floor(bytes / engines);
}
