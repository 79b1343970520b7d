/** A device that models can run on: what is known of it, and how an engine comes to have it. Plain data. */
import { totalmem } from 'node:os';
import type { DeviceKind } from '../providers.ts';

/** `software`: a graphics driver that computes on the processor. */
export type DeviceType = 'cpu' | 'discrete' | 'integrated' | 'virtual' | 'software' | 'unknown';

export interface Device {
  /** `cpu`, or kind and number: `webgpu:0`. */
  readonly id: string;
  readonly kind: DeviceKind;
  /** Among the devices of its kind. */
  readonly index: number;
  /** As its driver says it. */
  readonly name: string;
  readonly type: DeviceType;
  readonly vendor?: string;
  /** Bytes of its own memory, where they are known; the others compute in the machine's, or nobody says. */
  readonly memory?: number;
  /** Precisions that it computes in, the one it has when none is asked for first; none: see `problem`. */
  readonly precisions: readonly string[];
  /** It was not seen to compute the fused attention of its kind rightly, which is done in steps then. */
  readonly inSteps?: boolean;
  /** Why it cannot be used. */
  readonly problem?: string;
  /** What a process has in its environment to see this device and no other of its kind. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Whether the device computes in the machine's memory: for sure, that is. */
export const sharesMemory = ({ type }: Pick<Device, 'type'>): boolean =>
  ['cpu', 'integrated', 'software'].includes(type);

/** Bytes of the memory that a device computes in; undefined where nobody says. */
export const memoryOf = (device: Pick<Device, 'type' | 'memory'>): number | undefined =>
  device.memory ?? (sharesMemory(device) ? totalmem() : undefined);

/** Real ones before those in software, strong ones first; otherwise in the order they were found in. */
const ORDER: readonly DeviceType[] = [
  'discrete',
  'integrated',
  'virtual',
  'unknown',
  'software',
  'cpu',
];

/** The devices in the order that their numbers follow. */
export const inOrder = <T extends { readonly type: DeviceType }>(devices: readonly T[]): T[] =>
  [...devices].sort((a, b) => ORDER.indexOf(a.type) - ORDER.indexOf(b.type));
