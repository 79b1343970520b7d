/** From what a command line names to the devices it means. */
import { NoodleError } from '../../errors.ts';
import type { DeviceKind } from '../providers.ts';
import type { Device } from './device.ts';
import type { Inventory } from './list.ts';

/** What `auto` tries, in this order, before it takes the processor. */
const PREFERRED: readonly DeviceKind[] = ['cuda', 'webgpu'];

/**
 * The devices that the names mean, one for each name: `auto`, a kind, or a kind and a number. Throws
 * DEVICE for a name that is none, and for a device that is not there or cannot be used.
 */
export function chooseDevices(
  names: readonly string[],
  inventory: Inventory,
): Promise<readonly Device[]> {
  return Promise.all(names.map((name) => chooseDevice(name, inventory)));
}

async function chooseDevice(name: string, inventory: Inventory): Promise<Device> {
  if (name === 'auto') return autoDevice(inventory);
  const card = /^nvidia:(\d{1,3})$/.exec(name)?.[1];
  if (card !== undefined) return nvidiaCard(Number(card), inventory);
  const { kind, index } = readName(name, inventory);
  const { devices, missing } = await inventory[kind]();
  const device = devices.find((one) => (index === undefined ? isUsable(one) : one.index === index));
  const chosen = device ?? (index === undefined ? devices[0] : undefined);
  if (chosen === undefined) {
    const there = devices.map((one) => `${one.id} (${one.name})`).join(', ');
    throw failed(
      name,
      devices.length === 0 ? missing : `there is none of this number; there is ${there}`,
    );
  }
  if (!isUsable(chosen)) throw failed(name, `${chosen.name} cannot be used: ${chosen.problem}`);
  return chosen;
}

function readName(name: string, inventory: Inventory): { kind: DeviceKind; index?: number } {
  const kinds = Object.keys(inventory) as readonly DeviceKind[];
  const [, word, number] = /^([a-z]+)(?::(\d{1,3}))?$/.exec(name) ?? [];
  const kind = kinds.find((known) => known === word);
  if (kind === undefined || (kind === 'cpu' && number !== undefined)) {
    const forms = ['auto', ...kinds.map((known) => (known === 'cpu' ? known : `${known}[:N]`))];
    throw failed(name, `expected ${forms.join(', ')}`);
  }
  return { kind, index: number === undefined ? undefined : Number(number) };
}

const failed = (device: string, reason: string): NoodleError =>
  new NoodleError('DEVICE', { device, reason });

const isUsable = ({ precisions }: Device): boolean => precisions.length > 0;

/** ComfyUI's numbers mean NVIDIA's cards: by CUDA where it can be, else by WebGPU. */
async function nvidiaCard(index: number, inventory: Inventory): Promise<Device> {
  const cuda = (await inventory.cuda()).devices.find((one) => one.index === index);
  if (cuda !== undefined && isUsable(cuda)) return cuda;
  const { devices } = await inventory.webgpu();
  const cards = devices.filter(({ vendor }) => vendor === 'NVIDIA');
  const card = cards[index];
  const name = `NVIDIA card ${index}`;
  if (card === undefined) {
    const there = ['there is none', 'there is only card 0'][cards.length];
    throw failed(
      name,
      `${there ?? `there are only ${cards.length}`}; --device auto takes what there is`,
    );
  }
  if (!isUsable(card)) throw failed(name, `${card.name} cannot be used: ${card.problem}`);
  return card;
}

/** The best real device; those in software are for whoever asks for them by name. */
async function autoDevice(inventory: Inventory): Promise<Device> {
  for (const kind of PREFERRED) {
    const { devices } = await inventory[kind]();
    const device = devices.find((one) => isUsable(one) && one.type !== 'software');
    if (device !== undefined) return device;
  }
  return (await inventory.cpu()).devices[0];
}
