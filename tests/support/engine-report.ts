/** What an engine on the processor says of itself. */
import type { EngineReport } from '../../engine/worker/messages.ts';

/** A report of an engine that has nothing open. */
export const engineReport = (changes: Partial<EngineReport> = {}): EngineReport => ({
  device: {
    id: 'cpu',
    kind: 'cpu',
    index: 0,
    name: 'A processor',
    type: 'cpu',
    precisions: ['fp32'],
    environment: {},
  },
  memoryTotal: 2 ** 34,
  ownMemory: false,
  precision: 'fp32',
  memoryBudget: 2 ** 33,
  bytes: 0,
  models: [],
  ...changes,
});
