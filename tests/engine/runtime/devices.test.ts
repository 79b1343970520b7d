import { describe, expect, it } from 'vitest';
import { deviceBudget } from '../../../engine/runtime/devices/budget.ts';
import { chooseDevices } from '../../../engine/runtime/devices/choose.ts';
import { cpuDevice } from '../../../engine/runtime/devices/cpu.ts';
import { type Device, inOrder } from '../../../engine/runtime/devices/device.ts';
import { readControllers, readProfiler } from '../../../engine/runtime/devices/displays.ts';
import type { Found, Inventory } from '../../../engine/runtime/devices/list.ts';
import { readCards, visibleCards } from '../../../engine/runtime/devices/nvidia.ts';
import { probe } from '../../../engine/runtime/devices/probe.ts';
import { readAdapters, selecting, vendorOf } from '../../../engine/runtime/devices/vulkan.ts';

describe('adapters of Vulkan', () => {
  const said = `DRIVER:           Searching for driver manifest files
selectable devices:
  GPU 0: 10005:0 "llvmpipe (LLVM 15.0.6, 256 bits)" CPU
selectable devices:
  GPU 0: 10005:0 "llvmpipe (LLVM 15.0.6, 256 bits)" CPU 0000:00:00.0
  GPU 1: 8086:a780 "Intel(R) UHD Graphics 770 (ADL-S GT1)" integrated GPU 0000:00:02.0
  GPU 2: 10de:2204 "NVIDIA GeForce RTX 3090" discrete GPU 0000:01:00.0
  GPU 3: 10de:2204 "NVIDIA GeForce RTX 3090" discrete GPU 0000:41:00.0
Warning: something of Dawn's
`;

  it('are read from the last list of Mesa’s layer, real ones first', () => {
    const adapters = inOrder(readAdapters(said));
    expect(adapters.map(({ name, type }) => [name, type])).toEqual([
      ['NVIDIA GeForce RTX 3090', 'discrete'],
      ['NVIDIA GeForce RTX 3090', 'discrete'],
      ['Intel(R) UHD Graphics 770 (ADL-S GT1)', 'integrated'],
      ['llvmpipe (LLVM 15.0.6, 256 bits)', 'software'],
    ]);
    expect(adapters.map(vendorOf)).toEqual(['NVIDIA', 'NVIDIA', 'Intel', 'Mesa']);
    // equal cards are told apart by where they are plugged in
    expect(adapters.map((adapter) => Object.values(selecting(adapter)).join(''))).toEqual([
      'pci-0000_01_00_0!',
      'pci-0000_41_00_0!',
      'pci-0000_00_02_0!',
      '10005:0!',
    ]);
  });

  it('are the one that the user has chosen by the environment', () => {
    const opened = `${said}DRIVER:  Using "Intel(R) UHD Graphics 770 (ADL-S GT1)" with driver: "x"\n`;
    expect(readAdapters(opened, { DRI_PRIME: '1' }).map(({ name, type }) => [name, type])).toEqual([
      ['Intel(R) UHD Graphics 770 (ADL-S GT1)', 'integrated'],
    ]);
    expect(readAdapters(opened, { DRI_PRIME: '' })).toHaveLength(4);
  });

  it('are the one that was opened where only the loader speaks', () => {
    const line = (name: string): string =>
      `DRIVER:     Using "${name}" with driver: "libGLX_nvidia.so.0"\n`;
    const [card] = readAdapters(line('NVIDIA L4'));
    expect(card).toEqual({ name: 'NVIDIA L4', type: 'unknown' });
    expect(vendorOf(card)).toBe('NVIDIA');
    expect(readAdapters(line('llvmpipe (LLVM 15)'))[0].type).toBe('software');
    expect(readAdapters('Warning: vkCreateInstance: Found no drivers!')).toEqual([]);
  });
});

describe('cards of NVIDIA', () => {
  const cards = readCards(
    '0, GPU-aa11, NVIDIA GeForce RTX 3090, 24576, 00000000:01:00.0\n' +
      '1, GPU-bb22, NVIDIA GeForce RTX 4090, 24564, 00000000:41:00.0\n' +
      '2, GPU-cc33, Orin, [N/A], 00000000:00:00.0\n',
  );

  it('are read from nvidia-smi', () => {
    expect(cards.map(({ name, memory, slot }) => [name, memory, slot])).toEqual([
      ['NVIDIA GeForce RTX 3090', 24 * 2 ** 30, '0000:01:00.0'],
      ['NVIDIA GeForce RTX 4090', 24564 * 2 ** 20, '0000:41:00.0'],
      ['Orin', undefined, '0000:00:00.0'],
    ]);
    expect(readCards('NVIDIA-SMI has failed\n')).toEqual([]);
  });

  it.each([
    [undefined, [0, 1, 2]],
    ['1', [1]],
    ['1,0', [1, 0]],
    ['GPU-aa', [0]],
    ['', []],
    ['7', []],
  ])('with CUDA_VISIBLE_DEVICES=%s are %s', (visible, expected) => {
    expect(visibleCards(cards, visible).map(({ index }) => index)).toEqual(expected);
  });
});

describe('adapters of other systems', () => {
  it('are read from what macOS says', () => {
    const entries = [
      { sppci_model: 'Apple M2 Pro', sppci_bus: 'spdisplays_builtin' },
      {
        sppci_model: 'Radeon Pro 580X',
        sppci_bus: 'spdisplays_pcie_device',
        spdisplays_vram: '8 GB',
      },
    ];
    expect(readProfiler(JSON.stringify({ SPDisplaysDataType: entries }))).toEqual([
      { name: 'Apple M2 Pro', type: 'integrated', memory: undefined },
      { name: 'Radeon Pro 580X', type: 'discrete', memory: 2 ** 33 },
    ]);
    expect(readProfiler('')).toEqual([]);
  });

  it('are read from what Windows says, without the memory that its number cannot hold', () => {
    const text = JSON.stringify([
      {
        Name: 'NVIDIA GeForce RTX 3090',
        PNPDeviceID: 'PCI\\VEN_10DE&DEV_2204&S',
        AdapterRAM: 0xfff00000,
      },
      { Name: 'Intel(R) UHD', PNPDeviceID: 'PCI\\VEN_8086&DEV_A780', AdapterRAM: 2 ** 30 },
      { Name: 'Microsoft Basic Render Driver', PNPDeviceID: 'ROOT', AdapterRAM: null },
    ]);
    const adapters = readControllers(text);
    expect(adapters.map(({ memory }) => memory)).toEqual([undefined, 2 ** 30, undefined]);
    expect(adapters.map(vendorOf)).toEqual(['NVIDIA', 'Intel', 'Microsoft']);
    expect(adapters[2].type).toBe('software');
    expect(readControllers('no JSON')).toEqual([]);
  });
});

describe('the choice of devices', () => {
  const device = (id: string, facts: Partial<Device> = {}): Device => ({
    ...cpuDevice(),
    id,
    kind: id.split(':')[0] as Device['kind'],
    index: Number(id.split(':')[1] ?? 0),
    name: `card ${id}`,
    type: 'discrete',
    precisions: ['fp16', 'fp32'],
    ...facts,
  });
  const machine = (webgpu: readonly Device[], cuda: readonly Device[] = []): Inventory => {
    const found = (devices: readonly Device[], missing: string) => async (): Promise<Found> => ({
      devices,
      missing,
    });
    return {
      cpu: found([cpuDevice()], ''),
      webgpu: found(webgpu, 'no adapter; install a driver'),
      cuda: found(cuda, 'not installed: npm run setup:cuda'),
    };
  };
  const choose = async (inventory: Inventory, ...names: string[]): Promise<string[]> =>
    (await chooseDevices(names, inventory)).map(({ id }) => id);
  const real = device('webgpu:0', { vendor: 'NVIDIA' });
  const software = device('webgpu:1', { type: 'software', name: 'llvmpipe' });
  const broken = device('webgpu:0', { precisions: [], problem: 'lost' });

  it('auto is CUDA, else a real adapter, else the processor', async () => {
    expect(await choose(machine([real], [device('cuda:0')]), 'auto')).toEqual(['cuda:0']);
    expect(await choose(machine([real, software]), 'auto')).toEqual(['webgpu:0']);
    expect(await choose(machine([software]), 'auto')).toEqual(['cpu']);
    expect(await choose(machine([broken]), 'auto')).toEqual(['cpu']);
    expect(await choose(machine([real], [device('cuda:0', { precisions: [] })]), 'auto')).toEqual([
      'webgpu:0',
    ]);
  });

  it('by name takes software too, and a kind alone the first that can be used', async () => {
    expect(await choose(machine([real, software]), 'webgpu', 'webgpu:1', 'cpu')).toEqual([
      'webgpu:0',
      'webgpu:1',
      'cpu',
    ]);
    expect(await choose(machine([broken, software]), 'webgpu')).toEqual(['webgpu:1']);
  });

  it('takes NVIDIA’s cards by number, with CUDA or without', async () => {
    const integrated = device('webgpu:1', { type: 'integrated', vendor: 'Intel' });
    expect(await choose(machine([real, integrated]), 'nvidia:0')).toEqual(['webgpu:0']);
    expect(await choose(machine([real], [device('cuda:0')]), 'nvidia:0')).toEqual(['cuda:0']);
    await expect(choose(machine([real]), 'nvidia:1')).rejects.toThrow(
      "device 'NVIDIA card 1': there is only card 0; --device auto takes what there is",
    );
    await expect(choose(machine([]), 'nvidia:0')).rejects.toThrow(/card 0': there is none;/);
  });

  it.each([
    ['cuda', "device 'cuda': not installed: npm run setup:cuda"],
    [
      'webgpu:3',
      "device 'webgpu:3': there is none of this number; there is webgpu:0 (card webgpu:0)",
    ],
    ['gpu', "device 'gpu': expected auto, cpu, webgpu[:N], cuda[:N]"],
    ['cpu:1', "device 'cpu:1': expected auto, cpu, webgpu[:N], cuda[:N]"],
    ['nvidia:x', "device 'nvidia:x': expected auto, cpu, webgpu[:N], cuda[:N]"],
  ])('refuses %s and says what there is', async (name, message) => {
    await expect(choose(machine([real]), name)).rejects.toThrow(message);
  });

  it('says why a device cannot be used', async () => {
    await expect(choose(machine([broken]), 'webgpu')).rejects.toThrow(
      "device 'webgpu': card webgpu:0 cannot be used: lost",
    );
    await expect(choose(machine([]), 'webgpu')).rejects.toThrow(/no adapter; install a driver/);
  });
});

describe('a probe', () => {
  it('computes on the device in a process of its own', async () => {
    expect(await probe('cpu')).toMatchObject({ precisions: ['fp32', 'int8'], problem: undefined });
  });

  it('ends with what a driver does, in time', async () => {
    const { precisions, problem } = await probe('cpu', {}, 'sum', 5);
    expect(precisions).toEqual([]);
    expect(problem).toBe('its driver did not answer within 0.005 s');
    const crash = await probe('cpu', { NODE_OPTIONS: '--no-such-option' });
    expect(crash).toMatchObject({ precisions: [], problem: /ended the process \(exit code 9\)/ });
  });
});

it('budgets are parts of a card’s own memory, or of the machine’s, by engine', () => {
  const card = { memory: 1000 };
  expect(deviceBudget(card, { share: 0.9, reserve: 100 })).toBe(800);
  expect(deviceBudget(card, { share: 0.9, reserve: 5000 })).toBe(50);
  expect(deviceBudget(card, { share: 0.5, reserve: 0 }, 2)).toBe(250);
  const machine = deviceBudget({}, { share: 0.2, reserve: 5000 });
  expect(deviceBudget({}, { share: 0.9, reserve: 0 })).toBe(machine);
});
