/** Savers of the community pack: names, formats, what clients are shown. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { savingNodes } from '../../custom_nodes/community/saving.ts';
import { withTime } from '../../custom_nodes/community/time-tokens.ts';
import { nodes } from '../../custom_nodes/community/index.ts';
import { map } from '../../engine/array/elementwise.ts';
import type { Context } from '../../engine/node.ts';
import { loadImageFile } from '../../engine/media/load-image.ts';
import { toImageAndMask } from '../../engine/media/to-array.ts';
import { createFolders } from '../../engine/store/folders.ts';
import { createHarness } from '../engine/graph/harness.ts';
import { pattern } from '../support/number-pattern.ts';

const base = mkdtempSync(join(tmpdir(), 'noodle-saving-'));
afterAll(() => rmSync(base, { recursive: true }));
const folders = createFolders({ base });
const services = { folders, options: {} };
const context = { progress: () => undefined, services } as unknown as Context;

interface Saved {
  readonly ui: Record<string, Record<string, unknown>[]>;
  readonly result: unknown[];
}
const save = async (name: string, inputs: Record<string, unknown>): Promise<Saved> =>
  (await savingNodes.find((node) => node.name === name)!.run(inputs, context)) as Saved;
const decoded = async (path: string) => toImageAndMask(await loadImageFile(path)).image;

/** Bytes as files keep them, so that lossless formats give them back. */
const picture = map(pattern([2, 6, 8, 3]), (v) => Math.trunc(v * 255) / 255 + 1e-4);

describe('Image Save', () => {
  const SHARED = {
    images: picture,
    output_path: 'some/folder',
    filename_prefix: 'shot',
    filename_delimiter: '-',
    filename_number_padding: 4,
    filename_number_start: 'false',
    extension: 'png',
    quality: 90,
    lossless_webp: 'true',
    overwrite_mode: 'false',
    show_history: 'false',
    show_history_by_prefix: 'true',
    embed_workflow: 'true',
    show_previews: 'true',
    prompt: { 1: { class_type: 'X', inputs: {} } },
    extra_pnginfo: null,
  };
  const names = (folder: string) => readdirSync(join(folders.output, folder)).sort();

  it('numbers files behind those that are there', async () => {
    const { ui, result } = await save('Image Save', SHARED);
    expect(ui.images).toEqual([
      { filename: 'shot-0001.png', subfolder: 'some/folder', type: 'output' },
      { filename: 'shot-0002.png', subfolder: 'some/folder', type: 'output' },
    ]);
    expect((result[1] as string[])[0]).toBe(join(folders.output, 'some/folder/shot-0001.png'));
    await save('Image Save', { ...SHARED, extension: 'bmp' });
    expect(names('some/folder')).toContain('shot-0004.bmp');
    const front = { filename_number_start: 'true', filename_number_padding: 2 };
    await save('Image Save', { ...SHARED, ...front });
    expect(names('some/folder')).toContain('02-shot.png');
    await save('Image Save', { ...SHARED, ...front, filename_delimiter: '(' });
    expect(names('some/folder')).toContain('02(shot.png');
    const text = readFileSync(join(folders.output, 'some/folder/shot-0001.png'), 'latin1');
    expect(text).toContain('"class_type": "X"');
  });

  it.each([
    ['png', 0],
    ['bmp', 0],
    ['tiff', 0],
    ['webp', 0],
    ['gif', 0.2],
    ['jpg', 0.35],
    ['jpeg', 0.35],
  ] as const)('writes %s', async (extension, within) => {
    const { result } = await save('Image Save', { ...SHARED, output_path: 'formats', extension });
    const read = await decoded((result[1] as string[])[1]);
    expect(read.shape).toEqual([1, 6, 8, 3]);
    const wrong = read.data.reduce(
      (sum, v, i) => sum + Math.abs(v - Math.trunc(picture.data[144 + i] * 255) / 255),
      0,
    );
    expect(wrong / 144).toBeLessThanOrEqual(within + 1e-6);
  });

  it('writes over one name, and nowhere outside', async () => {
    const over = { ...SHARED, output_path: '.', overwrite_mode: 'prefix_as_filename' };
    await save('Image Save', over);
    const { ui } = await save('Image Save', { ...over, show_previews: 'false' });
    expect(ui.images).toEqual([]);
    expect(names('.')).toContain('shot.png');
    expect(names('.').filter((name) => name.endsWith('.part'))).toEqual([]);
    await expect(save('Image Save', { ...SHARED, output_path: '../..' })).rejects.toThrow();
    const led = { ...SHARED, filename_delimiter: '/../../../led' };
    await expect(save('Image Save', led)).rejects.toThrow('has a slash in a name');
    expect(readdirSync(base)).not.toContain('led0001.png');
  });

  it('knows the time', () => {
    const now = new Date(2031, 0, 2, 15, 4, 5);
    const seconds = Math.floor(now.getTime() / 1000);
    const text = '[time(%Y-%m-%d %I%p%%%q)]/[time]';
    expect(withTime(text, now)).toBe(`2031-01-02 03PM%%q/${seconds}`);
  });
});

describe('VHS_VideoCombine', () => {
  const SHARED = {
    images: pattern([4, 6, 8, 3]),
    frame_rate: 8,
    loop_count: 0,
    filename_prefix: 'clip',
    format: 'image/gif',
    pingpong: true,
    save_output: true,
    prompt: null,
    extra_pnginfo: null,
  };

  it.each(['gif', 'webp'])('writes %s with a picture that holds the workflow', async (suffix) => {
    const { ui, result } = await save('VHS_VideoCombine', { ...SHARED, format: `image/${suffix}` });
    const [{ filename, workflow, fullpath, type }] = ui.gifs;
    expect([String(filename).split('.')[1], type]).toEqual([suffix, 'output']);
    expect(String(workflow).split('.')).toEqual([String(filename).split('.')[0], 'png']);
    expect((result[0] as [boolean, string[]])[1].at(-1)).toBe(fullpath);
    // There and back without the ends twice.
    expect((await decoded(String(fullpath))).shape).toEqual([6, 6, 8, 3]);
  });

  it('writes numbered pictures', async () => {
    const temp = { save_output: false, pingpong: false, format: 'video/16bit-png' };
    const { ui } = await save('VHS_VideoCombine', { ...SHARED, ...temp });
    expect(ui.gifs[0]).toMatchObject({ filename: 'clip_00001.004.png', type: 'temp' });
    expect((await decoded(join(folders.temp, 'clip_00001.001.png'))).shape).toEqual([1, 6, 8, 3]);
  });
});

describe('SwarmSaveImageWS', () => {
  it('sends pictures', async () => {
    const harness = createHarness('', { nodes });
    const run = await harness.run({
      p: { class_type: 'EmptyImage', inputs: { width: 8, height: 8, batch_size: 2, color: 0 } },
      out: { class_type: 'SwarmSaveImageWS', inputs: { images: ['p', 0] } },
    });
    expect(run.error()).toBeUndefined();
    expect(run.of('progress').length).toBeGreaterThan(0);
  });
});
