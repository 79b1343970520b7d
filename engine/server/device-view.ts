/** The devices that engines have, as every face needs them: one entry for each, however many engines share it. */
import { freemem } from 'node:os';
import type { EngineState } from '../queue/slot.ts';
import type { EngineReport } from '../worker/messages.ts';

export interface DeviceView {
  readonly device: EngineReport['device'];
  readonly precision: string;
  /** Bytes of the memory that it computes in; undefined where nobody says. */
  readonly memoryTotal: number | undefined;
  /** Bytes of that which models could still get, as far as we know. */
  readonly memoryFree: number | undefined;
  /** Bytes that models of all engines may take on it, and that they take. */
  readonly budget: number;
  readonly used: number;
  /** Bytes that each of their runs reads anew for want of memory, together. */
  readonly streamed: number;
  readonly engines: readonly EngineState[];
}

/** A view of each device that an engine has reported. */
export function deviceViews(states: readonly EngineState[]): DeviceView[] {
  const known = states.flatMap(({ report }) => report ?? []);
  const ids = new Set(known.map(({ device }) => device.id));
  return [...ids].map((id) => {
    const reports = known.filter(({ device }) => device.id === id);
    const [{ device, precision, memoryTotal, ownMemory }] = reports;
    const used = sum(reports.map(({ bytes }) => bytes));
    const left = memoryTotal === undefined ? undefined : Math.max(memoryTotal - used, 0);
    return {
      device,
      precision,
      memoryTotal,
      // with what the file cache would give back
      memoryFree: ownMemory ? left : freemem(),
      budget: sum(reports.map(({ memoryBudget }) => memoryBudget)),
      used,
      streamed: sum(reports.flatMap(({ models }) => models.map(({ streamed }) => streamed))),
      engines: states.filter(({ report }) => report?.device.id === id),
    };
  });
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
