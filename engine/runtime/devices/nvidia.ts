/** NVIDIA's cards as `nvidia-smi` tells of them, and whether ONNX Runtime's CUDA libraries are there. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ask } from './ask.ts';

export interface NvidiaCard {
  /** CUDA's number when it counts as PCI does. */
  readonly index: number;
  readonly uuid: string;
  readonly name: string;
  /** Bytes. */
  readonly memory?: number;
  /** Where it is plugged in: `0000:01:00.0`. */
  readonly slot: string;
}

const FIELDS = 'index,uuid,name,memory.total,pci.bus_id';

/** Milliseconds; a card that has fallen off its bus makes it hang. */
const LIMIT = 10_000;

/** The cards; none where there is no such program, or no card. */
export async function nvidiaCards(): Promise<NvidiaCard[]> {
  const query = [`--query-gpu=${FIELDS}`, '--format=csv,noheader,nounits'];
  return readCards(await ask('nvidia-smi', query, LIMIT));
}

/** Lines such as `0, GPU-5c…, NVIDIA GeForce RTX 3090, 24576, 00000000:01:00.0`; memory is in MiB. */
export function readCards(table: string): NvidiaCard[] {
  return table
    .split('\n')
    .map((line) => line.split(',').map((field) => field.trim()))
    .filter((fields) => fields.length === FIELDS.split(',').length)
    .map(([index, uuid, name, memory, slot]) => ({
      index: Number(index),
      uuid,
      name,
      // integrated ones say [N/A]
      memory: /^\d+$/.test(memory) ? Number(memory) * 2 ** 20 : undefined,
      slot: slot.toLowerCase().replace(/^0000(?=[0-9a-f]{4}:)/, ''),
    }));
}

/** The cards that `CUDA_VISIBLE_DEVICES` leaves, in its order: numbers, or beginnings of UUIDs. */
export function visibleCards(cards: readonly NvidiaCard[], visible?: string): NvidiaCard[] {
  if (visible === undefined) return [...cards];
  const names = visible.split(',').map((name) => name.trim());
  return names.flatMap((name) => {
    const isNumber = /^\d+$/.test(name);
    const card = cards.find(({ index, uuid }) =>
      isNumber ? index === Number(name) : name !== '' && uuid.startsWith(name),
    );
    return card === undefined ? [] : [card];
  });
}

/** What a process has in its environment to see this card alone. */
export const seeing = ({ uuid }: NvidiaCard): Record<string, string> => ({
  CUDA_VISIBLE_DEVICES: uuid,
});

/** The machines that ONNX Runtime's package for Node has CUDA libraries for. */
export const hasCuda = (platform: string, arch: string): boolean =>
  platform === 'linux' && arch === 'x64';

/** Whether they are installed. */
export function isCudaInstalled(): boolean {
  const ort = dirname(fileURLToPath(import.meta.resolve('onnxruntime-node/package.json')));
  const folder = join(ort, 'bin/napi-v6', process.platform, process.arch);
  return existsSync(join(folder, 'libonnxruntime_providers_cuda.so'));
}

/** What installs them. */
export const cudaCommand = 'npm run setup:cuda';
