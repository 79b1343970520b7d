/** Data sets from folders and lists: which pictures, where they are cut, their pixels and masks. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodePng } from '../../../../engine/media/formats/png/encode.ts';
import { loadSharp } from '../../../../engine/media/sharp.ts';
import { pythonRandom } from '../../../../engine/sampling/noise/python-random.ts';
import { type Dataset, openDataset } from '../../../../engine/training/data/dataset.ts';
import { maskOf, pictureOf } from '../../../../engine/training/data/pictures.ts';
import {
  type DatasetSettings,
  datasetDefaults,
} from '../../../../engine/training/data/settings.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'noodle-data-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, content: string | Uint8Array): void => {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), content);
};

/** A PNG whose values are made by a function of the column, the row and the channel. */
const png = (
  [width, height, channels = 3]: readonly [number, number, (1 | 2 | 3 | 4)?],
  value: (x: number, y: number, c: number) => number,
): Promise<Uint8Array> => {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) =>
    value(Math.floor(i / channels) % width, Math.floor(i / channels / width), i % channels),
  );
  return encodePng({ width, height, channels, data }, { level: 1 });
};

const blank = (width: number, height: number): Promise<Uint8Array> => png([width, height], () => 9);

const open = (settings: Partial<DatasetSettings> = {}, seed = 1): Promise<Dataset> =>
  openDataset(
    { ...datasetDefaults, folderPath: folder, resolution: 32, ...settings },
    { unit: 16, batchSize: 2, random: pythonRandom(seed) },
  );

const names = ({ items }: Dataset): string[] => items.map(({ name }) => name);

describe('openDataset', () => {
  it('finds pictures below a folder by name, and nothing hidden or kept', async () => {
    const picture = await blank(8, 8);
    const found = ['B.PNG', 'a.png', 'sub/c.png', 'sub/deep/d.png'];
    const passed = [
      '.hidden.png',
      '.git/e.png',
      '_controls/f.png',
      '_latent_cache/g.png',
      '_t_e_cache/h.png',
      'notes.txt',
      'masks/a.png',
    ];
    for (const name of [...found, ...passed]) write(name, picture);
    expect(names(await open({ maskPath: join(folder, 'masks') }))).toEqual(found);
  });

  it('follows no link out of the folder unless told to', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'noodle-outside-'));
    try {
      writeFileSync(join(outside, 'x.png'), await blank(8, 8));
      writeFileSync(join(outside, 'x.txt'), 'secret');
      write('a.png', await blank(8, 8));
      symlinkSync(outside, join(folder, 'linked'));
      symlinkSync(join(outside, 'x.png'), join(folder, 'b.png'));
      expect(names(await open())).toEqual(['a.png']);
      symlinkSync(join(outside, 'x.txt'), join(folder, 'a.txt'));
      await expect(open()).rejects.toThrow("path 'a.txt' lies outside the folder");
      const options = { unit: 16, batchSize: 1, random: pythonRandom(0), links: 'follow' } as const;
      const settings = { ...datasetDefaults, folderPath: folder };
      const set = await openDataset(settings, options);
      expect(names(set)).toEqual(['a.png', 'b.png', 'linked/x.png']);
      expect(set.items.map(({ text }) => text)).toEqual(['secret', '', 'secret']);
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  it('takes pictures and captions of a JSON list, in its order', async () => {
    write('z.png', await blank(8, 8));
    write('sub/a.png', await blank(8, 8));
    const list = {
      'z.png': { caption: 'last', caption_short: 'l' },
      [join(folder, 'sub/a.png')]: { caption: 'first' },
      'notes.txt': {},
    };
    write('list.json', JSON.stringify(list));
    const folderPath = join(folder, 'list.json');
    const texts = async (short: boolean): Promise<string[]> =>
      (await open({ folderPath, useShortCaptions: short })).items.map(({ text }) => text);
    expect(names(await open({ folderPath }))).toEqual(['z.png', 'sub/a.png']);
    expect(await texts(false)).toEqual(['last', 'first']);
    expect(await texts(true)).toEqual(['l', 'first']);
    for (const [name, message] of [
      ['../up.png', "path '../up.png' lies outside the folder"],
      ['/etc/up.png', 'it is absolute'],
      ['gone.png', "picture 'gone.png' was not found"],
    ]) {
      write('list.json', JSON.stringify({ [name]: {} }));
      await expect(open({ folderPath })).rejects.toThrow(message);
    }
  });

  it('reads captions of JSON files, and says which file is wrong', async () => {
    write('a.png', await blank(8, 8));
    const text = async (content: string | Uint8Array, ending = 'json'): Promise<string> => {
      write(`a.${ending}`, content);
      return (await open({ captionExt: ending })).items[0].text;
    };
    expect(await text('{"caption":\n"two\nlines"}')).toBe('two lines');
    expect(await text('{"other": 1}')).toBe('');
    await expect(text('{"caption": 1}')).rejects.toThrow(
      'a.json: expected a caption as text, got 1',
    );
    await expect(text('[]')).rejects.toThrow('a.json: expected {"caption": "…"}');
    await expect(text('{')).rejects.toThrow('a.json: expected JSON');
    expect(await text('\ufeffone\r\ntwo', 'txt')).toBe('one\ntwo');
    await expect(text(Uint8Array.of(0xff, 0xfe), 'txt')).rejects.toThrow(
      'a.txt: expected text in UTF-8',
    );
    await expect(text('x'.repeat(2 ** 20 + 1), 'txt')).rejects.toThrow('a.txt: expected at most');
  });

  it('says which picture is broken, and that a folder is empty', async () => {
    await expect(open()).rejects.toThrow('folder_path: expected a folder with PNG, JPEG or WebP');
    write('sub/broken.jpg', 'no picture');
    await expect(open()).rejects.toThrow('sub/broken.jpg');
    write('sub/broken.jpg', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 1, 2));
    await expect(open()).rejects.toThrow('sub/broken.jpg');
    write('sub/broken.jpg', await blank(20_000, 1));
    await expect(open({ squareCrop: true, resolution: 512 })).rejects.toThrow(
      'sub/broken.jpg: it would be scaled to 10240000 x 512 pixels',
    );
  });

  it('repeats pictures, then adds mirrored copies, and batches what is of one size', async () => {
    write('a.png', await blank(32, 32));
    write('b.png', await blank(96, 32));
    const set = await open({ numRepeats: 2, flipX: true, flipY: true });
    const copies = ['a', 'b', 'a', 'b'].map((name) => `${name}.png`);
    expect(names(set)).toEqual([copies, copies, copies, copies].flat());
    const flips = set.items.map(({ flipX, flipY }) => `${Number(flipX)}${Number(flipY)}`);
    expect(flips).toEqual(['00', '10', '01', '11'].flatMap((flip) => Array<string>(4).fill(flip)));
    expect(set.batches.flat().sort((a, b) => a - b)).toEqual([...set.items.keys()]);
    for (const batch of set.batches) {
      const names = batch.map((i) => set.items[i].name);
      expect(new Set(names).size).toBe(1);
    }
  });

  it('turns pictures upright before it measures them', async () => {
    const sharp = await loadSharp();
    const raw = { width: 48, height: 24, channels: 3 } as const;
    const picture = sharp(Buffer.alloc(48 * 24 * 3, 77), { raw }).withMetadata({ orientation: 6 });
    write('a.jpg', await picture.clone().jpeg().toBuffer());
    write('b.webp', await picture.clone().webp().toBuffer());
    write('c.png', await picture.clone().png().toBuffer());
    const set = await open();
    expect(set.items.map(({ size }) => size)).toEqual(Array(3).fill({ width: 24, height: 48 }));
    for (const item of set.items) {
      const { width, height } = item.placement.crop;
      expect((await pictureOf({ item, placement: item.placement })).shape).toEqual([
        1,
        height,
        width,
        3,
      ]);
    }
  });

  it('reads words of a file, and opens sets of a job that knows more of them', async () => {
    write('words.txt', 'red\r\n\n  green \nblue');
    write('a.png', await blank(8, 8));
    const settings = {
      ...datasetDefaults,
      folderPath: folder,
      randomTriggers: { file: join(folder, 'words.txt') },
      lossMultiplier: 2,
    };
    const random = pythonRandom(0);
    await expect(open({ maskPath: join(folder, 'masks') })).rejects.toThrow(
      "mask_path 'masks' was not found",
    );
    await expect(open({ randomTriggers: { file: join(folder, 'w.txt') } })).rejects.toThrow(
      "random_triggers 'w.txt' was not found",
    );
    const set = await openDataset(settings, { unit: 8, batchSize: 1, random });
    expect(set.settings.randomTriggers).toEqual(['red', 'green', 'blue']);
    expect(set.settings.lossMultiplier).toBe(2);
  });
});

describe('placement without buckets', () => {
  it('cuts a square from the middle, or from anywhere anew each time', async () => {
    write('a.png', await blank(100, 60));
    const [middle] = (await open({ buckets: false })).items;
    expect(middle.placement).toEqual({
      scaled: { width: 54, height: 32 },
      crop: { x: 11, y: 0, width: 32, height: 32 },
    });
    const [anywhere] = (await open({ buckets: false, randomCrop: true })).items;
    expect(anywhere.placement.scaled).toEqual({ width: 100, height: 60 });
    const seeds = [...Array(20).keys()];
    const sides = await Promise.all(
      seeds.map(
        async (seed) =>
          (await open({ buckets: false, randomScale: true }, seed)).items[0].placement,
      ),
    );
    for (const { scaled, crop } of sides) {
      expect(scaled.height).toBeGreaterThanOrEqual(32);
      expect(scaled.height).toBeLessThanOrEqual(60);
      expect(crop.x + crop.width).toBeLessThanOrEqual(scaled.width);
    }
    expect(new Set(sides.map(({ scaled }) => scaled.height)).size).toBeGreaterThan(5);
  });

  it('enlarges what is smaller than the square', async () => {
    write('a.png', await blank(20, 10));
    const [{ placement }] = (await open({ buckets: false, randomCrop: true })).items;
    expect(placement.scaled).toEqual({ width: 64, height: 32 });
  });
});

describe('pixels', () => {
  it('are mirrored as wholes, then cut', async () => {
    write('a.png', await png([37, 32], (x) => x));
    const { items } = await open({ flipX: true });
    expect(items[1].placement.crop).toEqual({ x: 2, y: 0, width: 32, height: 32 });
    const firsts = await Promise.all(
      items.map(async (item) => (await pictureOf({ item, placement: item.placement })).data[0]),
    );
    expect(firsts.map((v) => Math.round(v * 255))).toEqual([2, 34]);
  });

  it('are those of Pillow', async () => {
    write('a.png', await png([61, 47], (x, y, c) => x * 7 + y * 13 + c * 50));
    const item = (await open({ squareCrop: true, flipX: true })).items[1];
    expect(item.placement.scaled).toEqual({ width: 42, height: 32 });
    const { data } = await pictureOf({ item, placement: item.placement });
    const bytes = Uint8Array.from(data, (v) => Math.round(v * 255));
    // transpose(FLIP_LEFT_RIGHT).resize((42, 32), BICUBIC).crop((5, 0, 37, 32))
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(
      '943bcd8878d3d32cec0c42c11ee5f9bdfa0f912b8fa8c2a5825b80c838721763',
    );
  });

  it('keep their bytes where nothing is scaled', async () => {
    write('a.png', await png([32, 32], (x, y, c) => x * 3 + y * 4 + c));
    const { items } = await open({ flipX: true, flipY: true });
    const pictures = await Promise.all(
      items.map((item) => pictureOf({ item, placement: item.placement })),
    );
    const at = (i: number, x: number, y: number): number =>
      Math.round(pictures[i].data[(y * 32 + x) * 3 + 1] * 255);
    expect([0, 1, 2, 3].map((i) => at(i, 5, 2))).toEqual(
      [
        [5, 2],
        [26, 2],
        [5, 29],
        [26, 29],
      ].map(([x, y]) => x * 3 + y * 4 + 1),
    );
    expect(pictures[0].data[1]).toBe(Math.fround(1 / 255));
  });

  it('have masks of alpha or of files, in their own pixels', async () => {
    write('a.png', await png([32, 32, 4], (x, _, c) => (c < 3 ? 200 : x < 16 ? 255 : 51)));
    write('masks/b.jpg', await png([64, 64], (_, y) => (y < 32 ? 255 : 0)));
    write('b.png', await blank(32, 32));
    write('c.png', await blank(32, 32));
    const corners = async (i: number, settings: Partial<DatasetSettings>): Promise<unknown> => {
      const set = await open(settings);
      const item = set.items[i];
      const mask = await maskOf(set.settings, { item, placement: item.placement });
      if (mask) expect(mask.shape).toEqual([1, 1, 32, 32]);
      return mask && [mask.data[0], mask.data[32 * 32 - 1]];
    };
    const fifth = Math.fround(0.2);
    expect(await corners(0, {})).toBeUndefined();
    expect(await corners(0, { alphaMask: true })).toEqual([1, fifth]);
    expect(await corners(0, { alphaMask: true, flipX: true, invertMask: true })).toEqual([
      0,
      Math.fround(0.8),
    ]);
    expect(await corners(3, { alphaMask: true })).toEqual([1, 1]);
    // Behind the four pictures that there are without a folder of masks.
    expect(await corners(4, { alphaMask: true, flipX: true })).toEqual([fifth, 1]);
    const maskPath = join(folder, 'masks');
    expect(await corners(1, { maskPath })).toEqual([1, 0]);
    expect(await corners(1, { maskPath, invertMask: true })).toEqual([0, 1]);
    expect(await corners(2, { maskPath })).toEqual([1, 1]);
  });
});
