/**
 * Graphics adapters on Linux, from what Vulkan's loader and Mesa's layer for choosing devices write
 * while a process opens one. The layer is part of Mesa and knows every driver's devices, NVIDIA's too.
 */
import type { DeviceType } from './device.ts';

export interface Adapter {
  readonly name: string;
  readonly type: DeviceType;
  /** PCI's numbers; those of software are made up. */
  readonly ids?: { readonly vendor: number; readonly device: number };
  /** Where it is plugged in: `0000:01:00.0`. */
  readonly slot?: string;
}

/** What makes a process write it. */
export const tellAdapters = {
  MESA_VK_DEVICE_SELECT_DEBUG: '1',
  VK_LOADER_DEBUG: 'driver',
} as const;

const TYPES: Readonly<Record<string, DeviceType>> = {
  'discrete GPU': 'discrete',
  'integrated GPU': 'integrated',
  'virtual GPU': 'virtual',
  CPU: 'software',
};

/** `  GPU 0: 10de:2204 "NVIDIA GeForce RTX 3090" discrete GPU 0000:01:00.0` */
const LISTED =
  /^\s*GPU \d+: ([0-9a-f]+):([0-9a-f]+) "(.*)" (discrete GPU|integrated GPU|virtual GPU|CPU|other)(?: ([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]))?\s*$/gm;

/** `Using "NVIDIA GeForce RTX 3090" with driver: "libGLX_nvidia.so.0"` */
const USED = /Using "(.*)" with driver: "/;

/** What users set to choose an adapter themselves. */
const CHOICES = ['MESA_VK_DEVICE_SELECT', 'DRI_PRIME', 'VK_LOADER_DEVICE_SELECT'];

/** Names of drivers in software, where only the loader speaks. */
const SOFTWARE = /llvmpipe|lavapipe|swiftshader/i;

/**
 * The adapters that such a process could have, each once; only the one it had where its user's
 * environment has made the choice.
 */
export function readAdapters(
  said: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): Adapter[] {
  const first = said.slice(said.lastIndexOf('selectable devices:'));
  const listed = [...first.matchAll(LISTED)].map(([, vendor, device, name, type, slot]) => ({
    name,
    type: TYPES[type] ?? 'unknown',
    ids: { vendor: parseInt(vendor, 16), device: parseInt(device, 16) },
    slot: slot === '0000:00:00.0' ? undefined : slot,
  }));
  const used = readUsed(said);
  const isChosen = CHOICES.some((name) => (environment[name] ?? '') !== '');
  if (isChosen && used.length > 0) {
    return [listed.find(({ name }) => name === used[0].name) ?? used[0]];
  }
  return listed.length > 0 ? listed : used;
}

/** The adapter that was opened, as the loader names it. */
export function readUsed(said: string): Adapter[] {
  const name = USED.exec(said)?.[1];
  if (name === undefined) return [];
  return [{ name, type: SOFTWARE.test(name) ? 'software' : 'unknown' }];
}

/** What a process has in its environment to see this one of several alone. */
export function selecting({ ids, slot }: Adapter): Record<string, string> {
  // Two cards of one make have the same numbers; where they are plugged in tells them apart.
  if (slot !== undefined) {
    return { DRI_PRIME: `pci-${slot.replace(/[:.]/g, '_')}!`, MESA_VK_DEVICE_SELECT: '' };
  }
  if (ids === undefined) return {};
  const number = `${ids.vendor.toString(16)}:${ids.device.toString(16)}`;
  return { MESA_VK_DEVICE_SELECT: `${number}!` };
}

const VENDORS: Readonly<Record<number, string>> = {
  0x1002: 'AMD',
  0x106b: 'Apple',
  0x10de: 'NVIDIA',
  0x13b5: 'ARM',
  0x1414: 'Microsoft',
  0x1ae0: 'Google',
  0x5143: 'Qualcomm',
  0x8086: 'Intel',
  0x10005: 'Mesa',
};

/** Whose adapter it is, by its numbers or else by its name. */
export const vendorOf = ({ ids, name }: Adapter): string | undefined =>
  ids === undefined
    ? Object.values(VENDORS).find((vendor) => name.includes(vendor))
    : VENDORS[ids.vendor];
