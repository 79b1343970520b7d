/**
 * The community pack: texts and pictures in files, sizes by a factor. Numbers of tests/fixtures/community-sizes.json
 * come from torch's interpolate and Pillow; it holds shapes and Σ v·(i mod 7 + 1).
 */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encodePng } from '../../engine/media/formats/png/encode.ts';
import { ExecutionBlocker } from '../../engine/node.ts';
import type { NDArray } from '../../engine/node.ts';
import { createFolders } from '../../engine/store/folders.ts';
import { calling, resultOf } from './support.ts';

const base = mkdtempSync(join(tmpdir(), 'noodle-texts-'));
afterAll(() => rmSync(base, { recursive: true }));
const folders = createFolders({ base });
for (const folder of [folders.input, folders.output, folders.temp])
  mkdirSync(folder, { recursive: true });
const sent: unknown[] = [];
const context = {
  services: { folders, options: {} },
  state: new Map<string, unknown>(),
  progress: () => undefined,
  send: (...message: unknown[]) => sent.push(message),
};
const run = (name: string, inputs: Record<string, unknown>) => resultOf(name, inputs, context);
const written = (...path: string[]) => readFileSync(join(folders.output, ...path), 'utf8');

describe('texts in files', () => {
  writeFileSync(join(folders.input, 'prompts.txt'), '# all of them\na cat\r\na dog\n');

  it('are read without their comments, wherever the path says they are', async () => {
    const expected = ['a cat\na dog', { prompts: ['a cat', 'a dog'] }];
    const paths = [
      'prompts.txt',
      'input/prompts.txt',
      './ComfyUI/input/prompts.txt',
      String.raw`input\prompts.txt`,
    ];
    for (const file_path of [...paths, join(folders.input, 'prompts.txt')]) {
      const given = { file_path, dictionary_name: '[filename]' };
      expect(await run('Load Text File', given)).toEqual(expected);
    }
    const named = { file_path: 'prompts.txt', dictionary_name: 'animals' };
    expect((await run('Load Text File', named))[1]).toEqual({ animals: ['a cat', 'a dog'] });
  });

  it('that are outside, or not there, are refused', async () => {
    const read = (file_path: string) => run('Load Text File', { file_path, dictionary_name: 'x' });
    await expect(read('none.txt')).rejects.toThrow("found no 'none.txt'");
    await expect(read('../secret.txt')).rejects.toThrow();
    await expect(read('/etc/passwd')).rejects.toThrow();
  });

  it('give one line after the other, or one by its place', async () => {
    const given = { file_path: 'prompts.txt', dictionary_name: '[filename]', label: 'a', index: 2 };
    const lines = [];
    for (let i = 0; i < 4; i++) {
      lines.push((await run('Text Load Line From File', { ...given, mode: 'automatic' }))[0]);
    }
    expect(lines).toEqual(['# all of them', 'a cat', 'a dog', '# all of them']);
    expect((await run('Text Load Line From File', { ...given, mode: 'index' }))[0]).toBe('a dog');
    const typed = { ...given, mode: 'index', multiline_text: 'x\ny\n' };
    expect((await run('Text Load Line From File', typed))[0]).toBe('x');
  });

  const save = {
    text: 'a cat',
    path: './ComfyUI/output/notes',
    filename_prefix: 'note',
    filename_delimiter: '_',
    filename_number_padding: 3,
  };

  it('are numbered behind those that are there, or written over', async () => {
    await run('Save Text File', save);
    await run('Save Text File', { ...save, text: 'a dog' });
    expect(readdirSync(join(folders.output, 'notes')).sort()).toEqual([
      'note_001.txt',
      'note_002.txt',
    ]);
    expect(written('notes', 'note_002.txt')).toBe('a dog');
    await run('Save Text File', { ...save, filename_number_padding: 0, file_extension: '.md' });
    await run('Save Text File', {
      ...save,
      filename_number_padding: 0,
      file_extension: '.md',
      text: 'b',
    });
    expect(written('notes', 'note.md')).toBe('b');
  });

  it('go nowhere else, under no other ending', async () => {
    const other = (more: object) => run('Save Text File', { ...save, ...more });
    await expect(other({ path: '../away' })).rejects.toThrow();
    await expect(other({ path: 'input/away' })).rejects.toThrow(/output folder/);
    await expect(other({ file_extension: '.js' })).rejects.toThrow("got '.js'");
    await expect(other({ filename_suffix: '/../x' })).rejects.toThrow(/filename_suffix/);
  });

  it('of Comfyroll and Easy Use', async () => {
    const given = { output_file_path: 'lists', file_name: 'l' };
    const cr = { ...given, multiline_text: 'a, b\n say "c"', file_extension: 'csv' };
    await run('CR Save Text To File', cr);
    await run('CR Save Text To File', cr);
    expect(readdirSync(join(folders.output, 'lists')).sort()).toEqual(['l.csv', 'l_1.csv']);
    expect(written('lists', 'l.csv')).toBe('"a, b"\r\n"say ""c"""\r\n');
    const easy = { ...given, text: 'x', file_name: 'e', file_extension: 'txt' };
    expect(await run('easy saveText', { ...easy, overwrite: true })).toEqual(['x', null]);
    await run('easy saveText', { ...easy, overwrite: false });
    expect(written('lists', 'e.txt')).toBe('xx');
    symlinkSync(join(folders.input, 'prompts.txt'), join(folders.output, 'lists', 'link.txt'));
    await expect(
      run('easy saveText', { ...easy, file_name: 'link', overwrite: false }),
    ).rejects.toThrow();
    await run('easy saveText', { ...easy, file_name: 'link', overwrite: true });
    expect(readFileSync(join(folders.input, 'prompts.txt'), 'utf8')).toContain('a cat');
  });
});

describe('pictures that the page sends or edits', () => {
  const picture: NDArray = { shape: [1, 1, 2, 3], data: new Float32Array([1, 0, 0, 0, 1, 0]) };
  const png = (channels: 3 | 4, bytes: number[]) =>
    encodePng(
      { width: 2, height: 1, channels, data: Uint8Array.from(bytes) },
      {
        level: 4,
        text: [['prompt', '{"1": {"class_type": "X"}}']],
      },
    );
  const clear = [255, 0, 0, 0, 0, 255, 0, 255];

  it('bridges hand on, show, and take the mask that was painted', async () => {
    const given = { images: picture, image: '$4-0' };
    const [image, mask] = (await run('PreviewBridge', given)) as NDArray[];
    expect(image).toBe(picture);
    expect([mask.shape, mask.data.every((v) => v === 0)]).toEqual([[1, 64, 64], true]);
    const shown = (await calling('PreviewBridge', given, context)) as { ui: { images: unknown[] } };
    expect(shown.ui.images).toMatchObject([{ subfolder: 'PreviewBridge', type: 'temp' }]);
    const stopped = await run('PreviewBridge', { ...given, block: true });
    expect(stopped[0]).toBeInstanceOf(ExecutionBlocker);
    mkdirSync(join(folders.input, 'clipspace'));
    writeFileSync(join(folders.input, 'clipspace', 'm.png'), await png(4, clear));
    const painted = { ...given, image: 'clipspace/m.png [input]', block: true };
    expect([...((await run('PreviewBridge', painted))[1] as NDArray).data]).toEqual([1, 0]);
    const latent = { samples: { shape: [1, 4, 2, 3], data: new Float32Array(24) } };
    const [same, all] = await run('PreviewBridgeLatent', { latent, image: '' });
    expect(same).toBe(latent);
    expect(all).toMatchObject({ shape: [1, 2, 3] });
    const [masked] = await run('PreviewBridgeLatent', { latent, image: painted.image });
    expect(masked).toMatchObject({ noise_mask: { shape: [1, 1, 2] } });
  });

  it('are received from the workflow or from a file', async () => {
    const bytes = await png(4, clear);
    writeFileSync(join(folders.input, 'p.png'), bytes);
    const data = `data:image/png;base64,${Buffer.from(bytes).toString('base64')}`;
    const load = async (name: string, inputs: object) => {
      const [image, mask] = (await run(name, { ...inputs })) as NDArray[];
      return [[...image.data], [...mask.data]];
    };
    const expected = [
      [1, 0, 0, 0, 1, 0],
      [1, 0],
    ];
    const receiver = { image: 'p.png', image_data: data };
    expect(await load('ImageReceiver', { ...receiver, save_to_workflow: false })).toEqual(expected);
    expect(await load('ImageReceiver', { ...receiver, save_to_workflow: true })).toEqual(expected);
    expect(await load('LoadImage //Inspire', { ...receiver, image: '#DATA' })).toEqual(expected);
    expect(await load('LoadImage //Inspire', { ...receiver, image_data: '' })).toEqual(expected);
    const easy = { base64_data: data, image_output: 'Hide', save_prefix: 'x' };
    expect(await load('easy loadImageBase64', easy)).toEqual([expected[0], [0, 1]]);
  });

  it('are sent to the page', async () => {
    await run('ImageSender', { images: picture, link_id: 3 });
    expect(sent).toMatchObject([['img-send', { link_id: 3, images: [{ type: 'temp' }] }]]);
  });

  it('bring the prompt they were made with', async () => {
    writeFileSync(join(folders.input, 'q.png'), await png(3, [1, 2, 3, 4, 5, 6]));
    const result = await run('Load image with metadata [Crystools]', { image: 'q.png' });
    expect(result[2]).toEqual({ 1: { class_type: 'X' } });
    expect(result[3]).toMatchObject({ fileinfo: { resolution: '2x1' } });
  });

  it('are measured and shown', async () => {
    expect(await run('Get resolution [Crystools]', { image: picture })).toEqual([2, 1]);
    expect(await run('easy imageSize', { image: picture })).toEqual([2, 1]);
    const any = { any_value: ['a', 2, picture], display: [true] };
    const text = 'a2tensor of shape [1, 1, 2, 3]';
    expect(await calling('Show any [Crystools]', any)).toEqual({ ui: { text: [text] } });
    expect(await run('Debug Text route _O', { text: 'a', prefix: 'b' })).toEqual(['a']);
  });
});

describe('sizes', () => {
  /* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access -- data of the fixture */
  const reference: any = JSON.parse(
    readFileSync(new URL('../fixtures/community-sizes.json', import.meta.url), 'utf8'),
  );
  const stored = ({ shape, data }: any): NDArray => ({ shape, data: Float32Array.from(data) });
  const samples = stored(reference.x);
  const image = stored(reference.image);
  const sum = ({ data }: NDArray) => data.reduce((total, v, i) => total + v * ((i % 7) + 1), 0);

  it('latents as torch interpolates them, with and without aligned corners', async () => {
    for (const [mode, align, factor, shape, digest] of reference.latents) {
      const given = { samples: { samples }, mode, align, factor };
      const [out] = (await run('Latent Upscale by Factor (WAS)', given)) as { samples: NDArray }[];
      expect(out.samples.shape).toEqual(shape);
      expect(Math.abs(sum(out.samples) - digest)).toBeLessThan(2e-4);
    }
  });

  it('pictures as Pillow resizes them', async () => {
    for (const [args, shape, digest] of reference.resize) {
      const [out] = (await run('Image Resize', { image, ...args })) as NDArray[];
      expect(out.shape).toEqual(shape);
      expect(Math.abs(sum(out) - digest)).toBeLessThan(1e-3);
    }
    const large = { image, mode: 'resize', supersample: 'true', resampling: 'lanczos' };
    const huge = { ...large, resize_width: 4096, resize_height: 4096 };
    await expect(run('Image Resize', huge)).rejects.toThrow(/supersample/);
  });

  it('by factors and sides', async () => {
    const latent = { samples: { shape: [1, 4, 10, 13], data: new Float32Array(520) } };
    const how = { upscale_method: 'area', crop: 'disabled' };
    const shapeOf = async (name: string, inputs: object) => {
      const [out] = (await run(name, { ...how, ...inputs })) as (NDArray & { samples?: NDArray })[];
      return (out.samples ?? out).shape;
    };
    // 13 · 1.25 = 16.25 and 10 · 1.25 = 12.5 cells, cut and to multiples of 8.
    expect(
      await shapeOf('LatentUpscaleFactorSimple _O', { samples: latent, factor: 1.25 }),
    ).toEqual([1, 4, 16, 16]);
    const sides = { samples: latent, WidthFactor: 2, HeightFactor: 1 };
    expect(await shapeOf('LatentUpscaleFactor _O', sides)).toEqual([1, 4, 8, 24]);
    const both = { image, Factor: 1.5, MulOf46: 'disabled' };
    expect(await shapeOf('ImageScaleFactorSimple _O', both)).toEqual([1, 9, 12, 3]);
    const each = { image, WidthFactor: 1.5, HeightFactor: 1.5, MulOf46: 'enabled' };
    expect(await shapeOf('ImageScaleFactor _O', each)).toEqual([1, 8, 16, 3]);
    expect(await shapeOf('DF_Image_scale_by_ratio', { image, upscale_by: 1.2 })).toEqual([
      1, 8, 10, 3,
    ]);
    const longest = { image, side_length: 16, side: 'Longest' };
    expect(await shapeOf('DF_Image_scale_to_side', longest)).toEqual([1, 12, 16, 3]);
    const shortest = { latent, side_length: 160, side: 'Shortest', scale_method: 'bislerp' };
    expect(await shapeOf('DF_Latent_Scale_to_side', shortest)).toEqual([1, 4, 20, 26]);
  });
});
