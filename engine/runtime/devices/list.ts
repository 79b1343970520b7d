/** What devices there really are: a source for each kind, each asked in processes of its own. */
import { readFileSync } from 'node:fs';
import type { DeviceKind } from '../providers.ts';
import { type Device, inOrder } from './device.ts';
import { systemAdapter } from './displays.ts';
import {
  type NvidiaCard,
  cudaCommand,
  hasCuda,
  isCudaInstalled,
  nvidiaCards,
  seeing,
  visibleCards,
} from './nvidia.ts';
import { type Probe, probe } from './probe.ts';
import { type Adapter, readAdapters, selecting, tellAdapters, vendorOf } from './vulkan.ts';

/** What was found of one kind. */
export interface Found {
  /** In the order of their numbers. */
  readonly devices: readonly Device[];
  /** Why there is none, and what to do. */
  readonly missing: string;
}

/** The devices of each kind. */
export type Inventory = Readonly<Record<DeviceKind, () => Promise<Found>>>;

/** Looks at this machine; every kind once, when it is first asked for. */
export function createInventory(): Inventory {
  return { cpu: once(findCpu), webgpu: once(findAdapters), cuda: once(findCudaCards) };
}

const once = <T>(find: () => Promise<T>): (() => Promise<T>) => {
  let found: Promise<T> | undefined;
  return () => (found ??= find());
};

/** Its precisions stand in tables that a server need not read else. */
async function findCpu(): Promise<Found> {
  const { cpuDevice } = await import('./cpu.ts');
  return { devices: [cpuDevice()], missing: '' };
}

async function findAdapters(): Promise<Found> {
  const [first, system] = await Promise.all([
    probe('webgpu', tellAdapters),
    systemAdapter(process.platform),
  ]);
  const told = process.platform === 'linux' ? inOrder(readAdapters(first.said, process.env)) : [];
  const adapters = told.length > 0 ? told : unnamed(first, system);
  const cardOf = await nvidiaCardOf();
  const devices = adapters.map(async (adapter, index): Promise<Device> => {
    const environment = adapters.length > 1 ? selecting(adapter) : {};
    const { precisions, problem } =
      adapters.length > 1 ? await probe('webgpu', environment) : first;
    const isFused =
      adapter.type !== 'software' && (await computesAttention(precisions, environment));
    return {
      id: `webgpu:${index}`,
      kind: 'webgpu',
      index,
      name: adapter.name,
      type: adapter.type === 'unknown' && cardOf(adapter) ? 'discrete' : adapter.type,
      vendor: vendorOf(adapter),
      memory: system?.memory ?? vramOf(adapter) ?? cardOf(adapter)?.memory,
      precisions,
      inSteps: !isFused,
      problem: precisions.length > 0 ? undefined : problem,
      environment,
    };
  });
  return { devices: await Promise.all(devices), missing: noAdapter(first.problem) };
}

/** Whether an adapter's fused attention is right in all of these precisions, and known in time. */
async function computesAttention(
  precisions: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<boolean> {
  if (precisions.length === 0) return false;
  const seen = await probe('webgpu', environment, 'attention');
  return precisions.every((precision) => seen.precisions.includes(precision));
}

/** Where nobody lists adapters: the one that opened, under the name the system has for it, if any. */
function unnamed({ precisions }: Probe, system: Adapter | undefined): Adapter[] {
  if (precisions.length === 0) return [];
  return [system ?? { name: 'name not known', type: 'unknown' }];
}

const noAdapter = (problem = 'none is listed'): string =>
  'no graphics adapter that WebGPU can use was found ' +
  `(${firstLine(problem)}). It needs the driver of your card: on Linux one for Vulkan ` +
  '(NVIDIA: its own driver; AMD, Intel: mesa-vulkan-drivers, 23 or newer); on Windows and macOS ' +
  'those of the system. --device cpu works everywhere';

/** Bytes of an adapter's own memory as AMD's driver says them. */
function vramOf({ slot }: Adapter): number | undefined {
  if (slot === undefined) return undefined;
  try {
    const bytes = Number(readFileSync(`/sys/bus/pci/devices/${slot}/mem_info_vram_total`, 'utf8'));
    return bytes > 0 ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** The card that an adapter is, as NVIDIA's driver lists it. */
async function nvidiaCardOf(): Promise<(adapter: Adapter) => NvidiaCard | undefined> {
  const cards = await nvidiaCards();
  return ({ slot, name }) =>
    cards.find((card) => (slot === undefined ? card.name === name : card.slot === slot));
}

async function findCudaCards(): Promise<Found> {
  const cards = visibleCards(await nvidiaCards(), process.env.CUDA_VISIBLE_DEVICES);
  if (cards.length === 0 || !isCudaInstalled()) return { devices: [], missing: noCuda() };
  const devices = cards.map(async (card, index): Promise<Device> => {
    const environment = seeing(card);
    const { precisions, problem } = await probe('cuda', environment);
    return {
      id: `cuda:${index}`,
      kind: 'cuda',
      index,
      name: card.name,
      type: 'discrete',
      vendor: 'NVIDIA',
      memory: card.memory,
      precisions,
      problem: precisions.length > 0 ? undefined : `${firstLine(problem ?? '')} ${cudaNeeds}`,
      environment,
    };
  });
  return { devices: await Promise.all(devices), missing: '' };
}

const cudaNeeds = '(CUDA 12 and cuDNN 9 must be installed; --device webgpu needs neither)';

function noCuda(): string {
  if (!hasCuda(process.platform, process.arch)) {
    return 'ONNX Runtime for Node has CUDA for Linux on x64 only; --device webgpu uses the same cards';
  }
  if (!isCudaInstalled()) {
    return (
      "ONNX Runtime's CUDA libraries are not installed: " +
      `${cudaCommand} gets them. --device webgpu uses the same cards without`
    );
  }
  return 'nvidia-smi lists no card: is the driver of NVIDIA installed?';
}

const firstLine = (text: string): string => text.trim().split('\n')[0];
