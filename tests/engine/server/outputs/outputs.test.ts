/** Media files of the output folder: lists, details, deletion and what must not be reached. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createFileDetails } from '../../../../engine/server/outputs/file-details.ts';
import { changeFavourites, readFavourites } from '../../../../engine/server/outputs/favourites.ts';
import { createMediaLister } from '../../../../engine/server/outputs/media-files.ts';
import { createMediaPager, readCursor } from '../../../../engine/server/outputs/media-page.ts';
import { moveToTrash, restoreFromTrash } from '../../../../engine/server/outputs/trash.ts';
import { createFolders } from '../../../../engine/store/folders.ts';
import { pngWithText } from '../../../web/support/png-with-text.ts';

const bases: string[] = [];
let base: string;
let out: (name: string) => string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'noodle-outputs-'));
  bases.push(base);
  out = (name) => join(base, 'output', name);
  mkdirSync(out('sub'), { recursive: true });
});
afterAll(() => bases.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A file whose time of change is `second`. */
function put(name: string, second: number, bytes: Buffer | string = 'x'): void {
  writeFileSync(out(name), bytes);
  utimesSync(out(name), second, second);
}

const pathsOf = (files: readonly { path: string }[]): string[] => files.map(({ path }) => path);

describe('the list', () => {
  it('has pictures, films and sounds of all folders and no other file', async () => {
    for (const name of ['a.png', 'sub/b.webp', 'c.mp4', 'd.flac', 'notes.txt', '.hidden.png']) {
      put(name, 1000);
    }
    symlinkSync(join(base, 'user'), out('link'));
    const files = await createMediaLister(createFolders({ base }))('output');
    expect(files.map(({ path, kind }) => `${path} ${kind}`).sort()).toEqual([
      'a.png image',
      'c.mp4 video',
      'd.flac audio',
      'sub/b.webp image',
    ]);
  });

  it('is the same list until a folder changes', async () => {
    put('a.png', 1000);
    // A folder that changed a moment ago is read again, for its stamp may not tell of a second change.
    utimesSync(out(''), 1000, 1000);
    utimesSync(out('sub'), 1000, 1000);
    const list = createMediaLister(createFolders({ base }));
    const first = await list('output');
    expect(await list('output')).toBe(first);
    put('sub/b.png', 2000);
    expect(pathsOf(await list('output'))).toEqual(['a.png', 'sub/b.png']);
  });

  it('goes round in no circle where links are followed', async () => {
    put('sub/a.png', 1000);
    symlinkSync(out(''), out('sub/again'));
    const list = createMediaLister(createFolders({ base, followLinks: true }));
    expect(pathsOf(await list('output'))).toEqual(['sub/a.png']);
  });
});

describe('pages', () => {
  const pageOf = () => {
    const list = createMediaLister(createFolders({ base }));
    const page = createMediaPager(createFileDetails());
    return async (request: Partial<Parameters<typeof page>[1]>) =>
      page(await list('output'), { sort: 'newest', limit: 100, ...request });
  };

  it('go on where the last one ended, whatever came and went', async () => {
    for (let i = 0; i < 5; i++) put(`p${i}.png`, 1000 + i);
    const page = pageOf();
    const first = await page({ limit: 2 });
    expect(pathsOf(first.files)).toEqual(['p4.png', 'p3.png']);
    expect(first.total).toBe(5);
    put('new.png', 3000);
    rmSync(out('p3.png'));
    const second = await page({ limit: 2, cursor: first.next! });
    expect(pathsOf(second.files)).toEqual(['p2.png', 'p1.png']);
    const last = await page({ limit: 2, cursor: second.next! });
    expect([pathsOf(last.files), last.next]).toEqual([['p0.png'], null]);
  });

  it('are sorted as asked', async () => {
    put('b.png', 1000, 'xxx');
    put('a.png', 2000, 'x');
    put('c.png', 2000, 'xx');
    const page = pageOf();
    const order = async (sort: 'newest' | 'oldest' | 'name' | 'largest') =>
      pathsOf((await page({ sort })).files).join(' ');
    expect(await order('newest')).toBe('c.png a.png b.png');
    expect(await order('oldest')).toBe('b.png a.png c.png');
    expect(await order('name')).toBe('a.png b.png c.png');
    expect(await order('largest')).toBe('b.png c.png a.png');
  });

  it('are searched by name, words of the prompt and seed', async () => {
    const prompt = (text: string, seed: number) =>
      JSON.stringify({
        6: { class_type: 'CLIPTextEncode', inputs: { text } },
        3: { class_type: 'KSampler', inputs: { seed, positive: ['6', 0] } },
      });
    put('one.png', 1000, await pngWithText([{ key: 'prompt', text: prompt('A red Fox', 42) }]));
    const webp = await sharp({ create: { width: 9, height: 5, channels: 3, background: 'red' } })
      .webp()
      .withExif({ IFD0: { Model: `prompt:${prompt('a blue boat', 7)}` } })
      .toBuffer();
    put('sub/two.webp', 2000, webp);
    put('three.png', 3000, 'no picture');
    const page = pageOf();
    const found = async (query: string) => pathsOf((await page({ query })).files);
    expect(await found('fox red')).toEqual(['one.png']);
    expect(await found('42')).toEqual(['one.png']);
    expect(await found('sub boat')).toEqual(['sub/two.webp']);
    expect(await found('three')).toEqual(['three.png']);
    expect(await found('whale')).toEqual([]);
    const { details } = await page({ sort: 'oldest' });
    expect(details).toEqual([
      { width: 8, height: 8, text: 'A red Fox', seed: '42' },
      { width: 9, height: 5, text: 'a blue boat', seed: '7' },
      { width: null, height: null, text: '', seed: null },
    ]);
  });

  it('take no cursor that is none', () => {
    expect(readCursor('!!')).toBeUndefined();
    expect(readCursor(Buffer.from('[1,2]').toString('base64url'))).toBeUndefined();
  });
});

describe('deletion', () => {
  it('moves files away and brings them back', async () => {
    put('a.png', 1000, 'a');
    put('sub/b.png', 1000, 'b');
    const folders = createFolders({ base });
    const { id, moved, missing } = await moveToTrash(folders, ['a.png', 'sub/b.png', 'gone.png']);
    expect([moved, missing]).toEqual([['a.png', 'sub/b.png'], ['gone.png']]);
    expect(existsSync(out('a.png')) || existsSync(out('sub/b.png'))).toBe(false);
    rmSync(out('sub'), { recursive: true });
    expect((await restoreFromTrash(folders, id)).restored.sort()).toEqual(['a.png', 'sub/b.png']);
    expect(readFileSync(out('sub/b.png'), 'utf8')).toBe('b');
    await expect(restoreFromTrash(folders, id)).rejects.toThrow('deletion');
  });

  it('brings nothing back over another file', async () => {
    put('a.png', 1000, 'old');
    const folders = createFolders({ base });
    const { id } = await moveToTrash(folders, ['a.png']);
    put('a.png', 2000, 'new');
    expect(await restoreFromTrash(folders, id)).toEqual({ restored: [], kept: ['a.png'] });
    expect(readFileSync(out('a.png'), 'utf8')).toBe('new');
    rmSync(out('a.png'));
    expect(await restoreFromTrash(folders, id)).toEqual({ restored: ['a.png'], kept: [] });
  });

  it('never leaves the output folder', async () => {
    const secret = join(base, 'secret.png');
    writeFileSync(secret, 'secret');
    put('a.png', 1000);
    symlinkSync(secret, out('link.png'));
    const folders = createFolders({ base, followLinks: true });
    for (const path of ['../secret.png', secret, 'link.png', '..\\secret.png']) {
      await expect(moveToTrash(folders, ['a.png', path])).rejects.toThrow(/outside/);
    }
    expect(existsSync(secret) && existsSync(out('a.png'))).toBe(true);
    for (const id of ['..', '../../output', '', 'x']) {
      await expect(restoreFromTrash(folders, id)).rejects.toThrow('deletion');
    }
  });
});

it('favourites are kept among the settings, beside the others', () => {
  mkdirSync(join(base, 'me'));
  writeFileSync(join(base, 'me', 'comfy.settings.json'), '{"Comfy.Locale": "zh"}');
  const root = join(base, 'me');
  changeFavourites(root, { add: ['a.png', 'b.png'], remove: [] });
  changeFavourites(root, { add: [], remove: ['a.png'] });
  expect([...readFavourites(root)]).toEqual(['b.png']);
  expect(readFileSync(join(root, 'comfy.settings.json'), 'utf8')).toContain('"Comfy.Locale": "zh"');
});
