import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NDArray, full, nd } from '../../engine/array/nd.ts';
import type { NodeContext, NodeDefinition } from '../../engine/graph/definition.ts';
import { encodePng } from '../../engine/media/formats/png/encode.ts';
import { loadImageFile } from '../../engine/media/load-image.ts';
import { toImageAndMask, toPixels } from '../../engine/media/to-array.ts';
import { createFolders } from '../../engine/store/folders.ts';
import { numpyRandom } from '../../engine/sampling/noise/numpy-random.ts';
import { datasetFileNodes } from '../../nodes/dataset-files.ts';
import { datasetTrainingNodes } from '../../nodes/dataset-training.ts';
import { datasetTextNodes } from '../../nodes/dataset-texts.ts';
import { datasetNodes } from '../../nodes/dataset.ts';
import { trainingNodes } from '../../nodes/training.ts';
import { assertLikeReference } from '../support/object-info.ts';
import { expectArray, pattern } from '../support/number-pattern.ts';

const reference = JSON.parse(
  readFileSync(new URL('../fixtures/pictures-0.33.json', import.meta.url), 'utf8'),
) as Record<string, { result: { shape: number[]; data: number[] }[] }>;

const base = mkdtempSync(join(tmpdir(), 'noodle-dataset-'));
afterAll(() => rmSync(base, { recursive: true }));
const folders = createFolders({ base });
const services = { folders, options: {} };
const context = { progress: () => undefined, services } as unknown as NodeContext;

const nodes = [
  ...datasetNodes,
  ...datasetTextNodes,
  ...datasetFileNodes,
  ...datasetTrainingNodes,
  ...trainingNodes,
];
const named = (name: string): NodeDefinition => nodes.find((node) => node.name === name)!;
const run = async <T = NDArray[]>(name: string, inputs: Record<string, unknown>): Promise<T> =>
  (await named(name).run(inputs, context)) as T;

describe('dataset nodes', () => {
  it.each(nodes.map((node) => [node.name, node] as const))(
    '%s prints as the reference',
    (_, node) => assertLikeReference(node),
  );

  it.each([
    ['ResizeImagesByShorterEdge', { shorter_edge: 4 }, ''],
    ['ResizeImagesByLongerEdge', { longer_edge: 13 }, ''],
    ['CenterCropImages', { width: 4, height: 20 }, ''],
    ['RandomCropImages', { width: 3, height: 2, seed: 0 }, ' 0'],
    ['RandomCropImages', { width: 3, height: 2, seed: 7 }, ' 7'],
    ['RandomCropImages', { width: 3, height: 2, seed: 2 ** 40 + 3 }, ` ${2 ** 40 + 3}`],
    ['NormalizeImages', { mean: 0.48, std: 0.27 }, ''],
    ['AdjustBrightness', { factor: 1.3 }, ''],
    ['AdjustContrast', { factor: 1.7 }, ''],
  ])('%s %o gives the reference’s numbers', async (name, values, suffix) => {
    const [ours] = await run(name, { images: pattern([1, 6, 9, 3]), ...values });
    expectArray(ours, reference[name + suffix].result[0]);
  });

  it('treats every picture of a batch', async () => {
    const images = pattern([2, 6, 9, 3]);
    const [ours] = await run('CenterCropImages', { images, width: 4, height: 20 });
    expect(ours.shape).toEqual([2, 6, 4, 3]);
  });

  it.each([0, 5, 2 ** 40 + 3])('shuffles as numpy with seed %d', async (seed) => {
    const images = Array.from({ length: 9 }, (_, i) => full([1, 1, 1, 3], i / 16));
    const [ours] = await run<NDArray[][]>('ShuffleDataset', { images, seed: [seed] });
    const order = ours.map((picture) => picture.data[0] * 16);
    expect(order).toEqual(reference[`Shuffle ${seed}`]);
    const texts = order.map((_, i) => `text ${i}`);
    const pairs = await run<unknown[][]>('ShuffleImageTextDataset', {
      images,
      texts,
      seed: [seed],
    });
    expect(pairs[1]).toEqual(order.map((i) => `text ${i}`));
    const videos = await run<unknown[][]>('ShuffleVideoDataset', { videos: texts, seed: [seed] });
    expect(videos[0]).toEqual(pairs[1]);
  });

  it('draws below any limit', () => {
    const random = numpyRandom(2n ** 64n - 1n);
    for (const most of [0, 1, 6, 2 ** 31, 2 ** 32 - 1]) {
      const value = random.upTo(most);
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(most);
    }
  });

  it('lays out a grid and drops what looks the same', async () => {
    const images = [pattern([1, 9, 5, 3]), pattern([1, 4, 4, 3], 13), pattern([2, 8, 8, 3], 29)];
    const cells = { columns: [3], cell_width: [6], cell_height: [5], padding: [1] };
    const [grid] = await run('ImageGrid', { images, ...cells });
    expectArray(grid, reference.ImageGrid.result[0]);
    await expect(run('ImageGrid', { images: [], ...cells })).rejects.toThrow(
      'at least one picture',
    );

    const one = pattern([1, 16, 16, 3]);
    const changed = (f: (v: number, i: number) => number): NDArray =>
      nd(one.data.map(f), one.shape);
    const similar = [
      one,
      changed((v) => v * 0.98),
      changed((v) => 1 - v),
      changed((_, i) => i / 767),
    ];
    const [kept] = await run<NDArray[][]>('ImageDeduplication', {
      images: similar,
      similarity_threshold: [0.95],
    });
    expect(kept.length).toBe(reference.dedup);
  });

  it.each([
    ['TextToLowercase', { texts: 'ÀB' }, 'àb'],
    ['TextToUppercase', { texts: 'straße' }, 'STRASSE'],
    ['TruncateText', { texts: '😀bc', max_length: 2 }, '😀b'],
    ['AddTextPrefix', { texts: 'b', prefix: 'a' }, 'ab'],
    ['AddTextSuffix', { texts: 'b', suffix: 'a' }, 'ba'],
    ['ReplaceText', { texts: 'a.b.', find: '.', replace: '-' }, 'a-b-'],
    ['StripWhitespace', { texts: ' \t a ' }, 'a'],
    ['MergeTextLists', { texts: ['a', 'b'] }, ['a', 'b']],
  ])('%s', async (name, inputs, expected) => {
    expect(await run(name, inputs)).toEqual([expected]);
  });

  it('puts latents of one size together', async () => {
    const latents = [
      { samples: pattern([2, 4, 2, 2]) },
      { samples: pattern([1, 4, 3, 2]) },
      { samples: pattern([1, 4, 2, 2], 13) },
    ];
    const entries = [['a', 'b'], ['c'], ['d']];
    const inputs = { latents, conditioning: entries };
    const [batches, lists] = await run<[{ samples: NDArray }[], unknown[]]>(
      'ResolutionBucket',
      inputs,
    );
    expect(batches.map(({ samples }) => samples.shape)).toEqual([
      [3, 4, 2, 2],
      [1, 4, 3, 2],
    ]);
    expect(lists).toEqual([['a', 'b', 'd'], ['c']]);
    await expect(run('ResolutionBucket', { latents, conditioning: [] })).rejects.toThrow('3 cond');
  });
});

describe('dataset folders', () => {
  beforeAll(async () => {
    const png = await encodePng(toPixels(pattern([1, 4, 5, 3]), 0), { level: 1 });
    const other = await encodePng(toPixels(pattern([1, 6, 5, 3], 13), 0), { level: 1 });
    mkdirSync(join(folders.input, 'set/2_dogs'), { recursive: true });
    mkdirSync(join(folders.input, 'empty'));
    writeFileSync(join(folders.input, 'set/b.png'), png);
    writeFileSync(join(folders.input, 'set/a.PNG'), other);
    writeFileSync(join(folders.input, 'set/b.txt'), ' a caption\n');
    writeFileSync(join(folders.input, 'set/notes.md'), 'no picture');
    writeFileSync(join(folders.input, 'set/2_dogs/dog.png'), png);
  });

  it('lists folders', () => {
    expect(folders.inputFolders?.()).toEqual(['empty', 'set', 'set/2_dogs']);
  });

  it('loads pictures and captions', async () => {
    const [pictures] = await run<NDArray[][]>('LoadImageDataSetFromFolder', { folder: 'set' });
    expect(pictures.map(({ shape }) => shape[1])).toEqual([6, 4]);
    const all = await run<[NDArray[], string[]]>('LoadImageTextDataSetFromFolder', {
      folder: 'set',
    });
    expect(all[0].map(({ shape }) => shape[1])).toEqual([4, 4, 6, 4]);
    expect(all[1]).toEqual(['', '', '', 'a caption']);
    const load = (folder: string) => run('LoadImageDataSetFromFolder', { folder });
    await expect(load('empty')).rejects.toThrow('a folder with PNG');
    await expect(load('../output')).rejects.toThrow('outside');
  });

  it('makes one batch of pictures of different sizes', async () => {
    const load = async (resize_method?: string) =>
      (await run('LoadImageSetFromFolderNode', { folder: 'set', resize_method }))[0].shape;
    await expect(load()).rejects.toThrow('resize_method');
    for (const method of ['Stretch', 'Crop', 'Pad']) {
      expect(await load(method)).toEqual([2, 6, 5, 3]);
    }
  });

  it('makes conditioning of the captions beside the pictures', async () => {
    const encoder = {
      spec: { name: 'l' },
      kind: {
        tokenize: (_: unknown, text: string) => [text],
        encode: (_: unknown, [text]: string[]) => Promise.resolve({ text }),
      },
    };
    const clip = {
      setup: { join: ({ l }: Record<string, unknown>) => l },
      encoders: [encoder],
    };
    const load = (more: object) =>
      run<[NDArray, unknown]>('LoadImageTextSetFromFolderNode', { folder: 'set', clip, ...more });
    const [batch, entries] = await load({ resize_method: 'Stretch', width: 7, height: -1 });
    expect(batch.shape).toEqual([4, 4, 7, 3]);
    expect(entries).toEqual(['', '', '', 'a caption'].map((text) => ({ text })));
    await expect(load({})).rejects.toThrow('resize_method');
    await expect(load({ width: 0 })).rejects.toThrow('width');
    await expect(load({ clip: null, resize_method: 'Crop' })).rejects.toThrow('text encoder');
  });

  it('draws the curve of a loss', async () => {
    const draw = async (loss: unknown): Promise<string> => {
      const inputs = { loss: { loss }, filename_prefix: 'curve' };
      const { ui } = await run<{ ui: { images: { filename: string }[] } }>('LossGraphNode', inputs);
      return ui.images[0].filename;
    };
    const name = await draw([3, 2, 2.5, 1]);
    expect(name).toMatch(/^curve_temp_\w+_00001_\.png$/);
    const { image } = toImageAndMask(await loadImageFile(join(folders.temp, name)));
    expect(image.shape).toEqual([1, 520, 840, 3]);
    const at = (x: number, y: number) => [
      ...image.data.slice((y * 840 + x) * 3, (y * 840 + x + 1) * 3),
    ];
    // Half way from (40, 0) to (240, 240); the left axis; beside everything.
    expect([at(140, 120), at(40, 300), at(600, 100)]).toEqual([
      [0, 0, 1],
      [0, 0, 0],
      [1, 1, 1],
    ]);
    await draw([1]);
    for (const bad of [[], [1, NaN], 'x', undefined])
      await expect(draw(bad)).rejects.toThrow('loss');
  });

  it('saves pictures and texts, over the old ones or beside them', async () => {
    const save = (mode: string) =>
      run('SaveImageTextDataSetToFolder', {
        images: [pattern([1, 4, 5, 3]), pattern([1, 4, 4, 3])],
        texts: ['one', 'two'],
        folder_name: ['made'],
        filename_prefix: ['picture'],
        mode: [mode],
      });
    const directory = join(folders.output, 'made');
    await save('overwrite');
    await save('overwrite');
    expect(readdirSync(directory).sort()).toEqual(
      ['00000.png', '00000.txt', '00001.png', '00001.txt'].map((name) => `picture_${name}`),
    );
    expect(readFileSync(join(directory, 'picture_00001.txt'), 'utf8')).toBe('two');
    await save('increment');
    expect(readdirSync(directory).length).toBe(8);
    const outside = {
      images: [],
      folder_name: ['../..'],
      filename_prefix: ['x'],
      mode: ['overwrite'],
    };
    const one = { ...outside, images: [pattern([1, 4, 4, 3])] };
    await expect(run('SaveImageDataSetToFolder', one)).rejects.toThrow();
    expect(await run('SaveImageDataSetToFolder', { ...one, folder_name: ['more'] })).toEqual({});
    expect(readdirSync(join(folders.output, 'more'))).toEqual(['x_00000.png']);
  });
});
