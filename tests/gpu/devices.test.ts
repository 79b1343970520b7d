/** Adapters as they are found, chosen and shared out among engines. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { chooseDevices } from '../../engine/runtime/devices/choose.ts';
import type { Device } from '../../engine/runtime/devices/device.ts';
import { createInventory } from '../../engine/runtime/devices/list.ts';
import { probe } from '../../engine/runtime/devices/probe.ts';
import { readUsed, tellAdapters } from '../../engine/runtime/devices/vulkan.ts';
import { statusOn, submitTo } from '../protocol/sleeping-job.ts';
import { startServer } from '../support/server.ts';

/** A second driver in software, which Debian's browser brings along. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

const root = new URL('../..', import.meta.url).pathname;

describe.skipIf(inject('precisions').length === 0)('the adapter', () => {
  it('is listed with the precisions that run on it, and auto takes none in software', async () => {
    const inventory = createInventory();
    const { devices } = await inventory.webgpu();
    expect(devices[0]).toMatchObject({ id: 'webgpu:0', kind: 'webgpu', problem: undefined });
    expect(devices[0].name).not.toBe('');
    expect([...devices[0].precisions].sort()).toEqual([...inject('precisions')].sort());
    const [auto] = await chooseDevices(['auto'], inventory);
    expect(auto.type).not.toBe('software');
  });
});

const drivers = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
const hasTwo = drivers !== undefined && existsSync(SWIFTSHADER) && !drivers.includes(SWIFTSHADER);

describe.skipIf(inject('precisions').length === 0 || !hasTwo)('two adapters', () => {
  let devices: readonly Device[];
  beforeAll(async () => {
    process.env.VK_DRIVER_FILES = `${drivers}:${SWIFTSHADER}`;
    ({ devices } = await createInventory().webgpu());
  });

  it('are both listed, and each is opened by who is given its environment', async () => {
    expect(devices.length).toBe(2);
    const opened = devices.map(async ({ environment }) => {
      const { said } = await probe('webgpu', { ...tellAdapters, ...environment });
      return readUsed(said)[0]?.name;
    });
    expect(await Promise.all(opened)).toEqual(devices.map(({ name }) => name));
  });

  it('draw at the same time, one engine each, and to the same picture', async () => {
    const base = mkdtempSync(join(tmpdir(), 'noodle-gpu-'));
    mkdirSync(join(base, 'models'));
    symlinkSync(join(root, 'models/checkpoints'), join(base, 'models/checkpoints'));
    const server = await startServer({
      base,
      flags: [
        '--device',
        'webgpu:0',
        '--device',
        'webgpu:1',
        '--precision',
        'fp32',
        '--cache-none',
      ],
    });
    try {
      const states = async (): Promise<unknown> =>
        ((await server.json('/v1/devices')) as { devices: Shown[] }).devices
          .filter(({ kind }) => kind === 'webgpu')
          .map(({ precision, engines }) => [precision, engines[0]?.state]);
      const both = (state: string): unknown => [
        ['fp32', state],
        ['fp32', state],
      ];
      await expect.poll(states, { timeout: 60_000, interval: 200 }).toEqual(both('idle'));
      const jobs = [await submitTo(server, decoded), await submitTo(server, decoded)];
      await expect.poll(states, { timeout: 20_000, interval: 50 }).toEqual(both('busy'));
      for (const id of jobs) {
        await expect
          .poll(() => statusOn(server, id), { timeout: 120_000, interval: 200 })
          .toMatchObject({ status_str: 'success' });
      }
      const pictures = readdirSync(join(base, 'output')).map((file) =>
        sharp(readFileSync(join(base, 'output', file)))
          .raw()
          .toBuffer(),
      );
      const [a, b] = await Promise.all(pictures);
      expect(a.length).toBe(64 * 64 * 3);
      const farthest = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
      expect(farthest).toBeLessThanOrEqual(1);
    } finally {
      await server.stop();
      rmSync(base, { recursive: true, force: true });
    }
  }, 240_000);
});

interface Shown {
  readonly kind: string;
  readonly precision: string | null;
  readonly engines: readonly { readonly state: string }[];
}

/** What the bundled autoencoder makes of nothing: the smallest prompt that has a network in it. */
const decoded = {
  1: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'tiny-scenes.safetensors' } },
  2: { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size: 1 } },
  3: { class_type: 'VAEDecode', inputs: { samples: ['2', 0], vae: ['1', 2] } },
  4: { class_type: 'SaveImage', inputs: { images: ['3', 0], filename_prefix: 'decoded' } },
};
