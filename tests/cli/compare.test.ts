/** `noodle compare` with the embedded checkpoint (real engine processes), and what it is made of. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sidesOf } from '../../cli/compare.ts';
import { DIFFERENCE_GAIN, likeness, sideBySide } from '../../cli/side-by-side.ts';
import { psnr } from '../../engine/array/psnr.ts';
import { decodeImage } from '../../engine/media/decode-image.ts';
import type { Pixels } from '../../engine/media/formats/png/encode.ts';

const root = join(import.meta.dirname, '../..');

const workflow = {
  3: {
    class_type: 'KSampler',
    inputs: {
      ...{ seed: 5, steps: 2, cfg: 4, sampler_name: 'euler', scheduler: 'normal', denoise: 1 },
      ...{ model: ['4', 0], positive: ['6', 0], negative: ['6', 0], latent_image: ['5', 0] },
    },
  },
  4: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'tiny-scenes.safetensors' } },
  5: { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size: 1 } },
  6: { class_type: 'CLIPTextEncode', inputs: { text: 'a star', clip: ['4', 1] } },
  8: { class_type: 'VAEDecode', inputs: { samples: ['3', 0], vae: ['4', 2] } },
  9: { class_type: 'SaveImage', inputs: { filename_prefix: 'cli', images: ['8', 0] } },
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'noodle-compare-test-'));
  writeFileSync(join(folder, 'workflow.json'), JSON.stringify(workflow));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function compare(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const command = [join(root, 'bin/noodle.js'), 'compare', join(folder, 'workflow.json')];
    const base = ['--base-directory', folder, '--models-directory', join(root, 'models')];
    const options = [...base, '--device', 'cpu', '--threads', '2', ...args];
    execFile(process.execPath, [...command, ...options], (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

describe('noodle compare', { timeout: 120_000 }, () => {
  it('prints times and PSNR, and writes the pictures', async () => {
    const out = join(folder, 'results');
    const sides = ['--precision', 'fp32', '--precision', 'int8,vae=fp32'];
    const ended = await compare(...sides, '--out', out);
    expect(ended.code).toBe(0);
    const files = ['00001.cpu-fp32.png', '00001.cpu-int8-vae-fp32.png', '00001.png'];
    expect(readdirSync(out).sort()).toEqual(files);
    const [head, first, second, gap, names, figures] = ended.out.split('\n');
    expect(head).toMatch(/^ +first run +again$/);
    expect(first).toMatch(/^cpu, fp32 +\d+\.\d\d s +\d+\.\d\d s$/);
    expect(second).toMatch(/^cpu, int8,vae=fp32 +\d+\.\d\d s +\d+\.\d\d s$/);
    expect([gap, names.trim()]).toEqual(['', 'cpu, int8,vae=fp32 to cpu, fp32']);
    const [, picture, likeness] = /^(\S+) +(\d+\.\d) dB$/.exec(figures)!;
    expect(picture).toBe(join(out, '00001.png'));
    expect(Number(likeness)).toBeGreaterThan(35);
    const together = (await decodeImage(readFileSync(picture), { name: 'it' })).frames[0];
    expect([together.width, together.height]).toEqual([192, 64]);
    expect(ended.err).toContain('precision on cpu: networks int8, text encoders int8, VAE fp32');
  });

  it('prints JSON for programs', async () => {
    const sides = ['--precision', 'fp32', '--precision', 'auto'];
    const out = join(folder, 'equal');
    const ended = await compare(...sides, '--out', out, '--runs', '1', '--json', '--quiet');
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(ended.out)).toEqual({
      sides: ['cpu, fp32', 'cpu, auto'].map((name) => ({ name, seconds: [expect.any(Number)] })),
      pictures: [
        {
          together: join(out, '00001.png'),
          files: [join(out, '00001.cpu-fp32.png'), join(out, '00001.cpu-auto.png')],
          psnr: [null, null],
          sameSize: true,
        },
      ],
    });
  });

  it('refuses what it cannot compare before anything runs', async () => {
    const { code, err } = await compare('--precision', 'fp32', '--precision', 'fp16');
    expect(code).toBe(2);
    expect(err).toBe(
      'error: --precision: expected fp32 or int8 (what cpu has) or auto for networks, got fp16\n',
    );
  });
});

describe('sides', () => {
  it('are what is given several times, with what is given once', () => {
    expect(sidesOf({ device: ['cpu', 'webgpu:1'], precision: ['fp32'] })).toEqual([
      { name: 'cpu, fp32', flags: ['--device', 'cpu', '--precision', 'fp32'] },
      { name: 'webgpu:1, fp32', flags: ['--device', 'webgpu:1', '--precision', 'fp32'] },
    ]);
    expect(sidesOf({ precision: ['fp32', 'int8'] }).map(({ name }) => name)).toEqual([
      'fp32',
      'int8',
    ]);
  });

  it.each([
    [{}, 'got 0'],
    [{ device: ['cpu'], precision: ['int8'] }, 'expected two or more times --device'],
    [
      { device: ['a', 'b'], precision: ['x', 'y', 'z'] },
      'equally often, or one of them once for all',
    ],
  ])('of %o are refused', (flags, message) => {
    expect(() => sidesOf(flags)).toThrow(message);
  });
});

describe('pictures side by side', () => {
  const plain = (width: number, value: number): Pixels => ({
    width,
    height: 2,
    channels: 3,
    data: new Uint8Array(width * 2 * 3).fill(value),
  });

  it('are told by PSNR', () => {
    expect(likeness(plain(2, 7), plain(2, 7))).toBe(Infinity);
    expect(likeness(plain(2, 0), plain(2, 255))).toBe(0);
    expect(likeness(plain(2, 0), plain(3, 0))).toBeUndefined();
    expect(psnr([0, 0.5], [0.1, 0.5])).toBeCloseTo(10 * Math.log10(2 / 0.01), 10);
    expect(() => psnr([0], [0, 1])).toThrow(RangeError);
  });

  it('stand in one row, differences behind them', async () => {
    const png = await sideBySide([plain(1, 10), plain(1, 13)]);
    const { frames } = await decodeImage(png!, { name: 'it' });
    const row = [10, 13, 3 * DIFFERENCE_GAIN].flatMap((value) => [value, value, value]);
    expect([...frames[0].rgb]).toEqual([...row, ...row]);
    expect(await sideBySide([plain(1, 0), plain(2, 0)])).toBeUndefined();
  });
});
