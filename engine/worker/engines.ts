/** Which engines there are to be: those of each device that was asked for. */
import type { Config, EngineSettings } from '../config.ts';
import type { Device } from '../runtime/devices/device.ts';
import { mayHaveGpu } from '../runtime/devices/gpu-hint.ts';
import type { Inventory } from '../runtime/devices/list.ts';
import type { PrecisionDevice } from '../runtime/precision.ts';

export type { Device, Inventory };

/** This machine's devices; every kind is looked at once, in processes of its own, when first asked for. */
export async function machineInventory(): Promise<Inventory> {
  const { createInventory } = await import('../runtime/devices/list.ts');
  return createInventory();
}

/**
 * Settings for each engine, in the order in which jobs are to be offered to them. Nothing is asked
 * where only the processor can be meant. Throws DEVICE for a device that is not there or cannot be
 * used, BAD_INPUT for a precision that one does not have.
 */
export async function planEngines(
  { devices: names, engines, engine }: Pick<Config, 'devices' | 'engines' | 'engine'>,
  inventory: () => Promise<Inventory>,
): Promise<readonly EngineSettings[]> {
  const copies = <T>(one: T): T[] => Array.from({ length: engines }, () => one);
  if (names.every((name) => name === 'cpu' || (name === 'auto' && !mayHaveGpu()))) {
    await checkPrecision({ id: 'cpu', kind: 'cpu' }, engine);
    return names.flatMap(() => copies({ ...engine, sharers: names.length * engines }));
  }
  const { chooseDevices } = await import('../runtime/devices/choose.ts');
  const devices = await chooseDevices(names, await inventory());
  await Promise.all(devices.map((device) => checkPrecision(device, engine)));
  return devices.flatMap((device) => {
    const sharers = devices.filter((other) => sharesMemoryWith(other, device)).length * engines;
    return copies({ ...engine, device, sharers });
  });
}

/** Throws BAD_INPUT for a precision that the device does not have. Tables of providers are read only where one was asked for. */
async function checkPrecision(
  device: PrecisionDevice,
  { precision }: Pick<EngineSettings, 'precision'>,
): Promise<void> {
  if (Object.keys(precision).length === 0) return;
  const { precisionsOf } = await import('../runtime/precision.ts');
  precisionsOf(device, precision);
}

/** A device without memory of its own computes in the machine's, with all others that do. */
const sharesMemoryWith = (a: Device, b: Device): boolean =>
  a.id === b.id || (a.memory === undefined && b.memory === undefined);

/** What `auto` means here. */
export async function autoDevice(inventory: Inventory): Promise<Device> {
  const { chooseDevices } = await import('../runtime/devices/choose.ts');
  return (await chooseDevices(['auto'], inventory))[0];
}

/** Everything that models could run on, and why kinds are missing. */
export async function allDevices(inventory: Inventory): Promise<{
  readonly devices: readonly Device[];
  readonly missing: Readonly<Record<string, string>>;
}> {
  const kinds = Object.entries(inventory);
  const found = await Promise.all(kinds.map(([, find]) => find()));
  return {
    devices: found.flatMap(({ devices }) => devices),
    missing: Object.fromEntries(
      kinds.flatMap(([kind], i) =>
        found[i].devices.length === 0 ? [[kind, found[i].missing] as const] : [],
      ),
    ),
  };
}
