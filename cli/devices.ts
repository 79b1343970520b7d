/** `noodle info --devices`: what models can run on here. */
import {
  type Device,
  type Inventory,
  allDevices,
  autoDevice,
  machineInventory,
} from '../engine/worker/engines.ts';
import type { InfoFlags } from './info.ts';
import { bytesText, safeText, table } from './print.ts';

/** Looks at the machine, in processes of their own, and prints what is there. Answers 0. */
export async function devicesCommand(
  { json }: InfoFlags,
  inventory: () => Promise<Inventory> = machineInventory,
): Promise<number> {
  const machine = await inventory();
  const { devices, missing } = await allDevices(machine);
  const auto = (await autoDevice(machine)).id;
  if (json) console.log(JSON.stringify({ devices, missing, auto }));
  else {
    console.log(table(devices.map(deviceRow)));
    console.log(`\nnothing said, or --device auto: ${auto}`);
    for (const [kind, reason] of Object.entries(missing)) {
      console.log(safeText(`\nno ${kind}: ${reason}`));
    }
  }
  return 0;
}

const deviceRow = ({ id, name, type, memory, precisions, problem }: Device): string[] => [
  id,
  safeText(name),
  type,
  memory === undefined ? '' : bytesText(memory),
  problem === undefined ? precisions.join(', ') : `cannot be used: ${safeText(problem)}`,
];
