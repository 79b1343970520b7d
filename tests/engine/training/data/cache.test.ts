/** Files of what was encoded: made once, made anew when they are of something else or not whole. */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nd } from '../../../../engine/array/nd.ts';
import {
  type CachePlace,
  cached,
  latentPlace,
  textPlace,
} from '../../../../engine/training/data/cache.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'noodle-cache-'));
  mkdirSync(join(root, 'sub'));
  writeFileSync(join(root, 'sub/cat.png'), 'bytes of a picture');
});
afterEach(() => rmSync(root, { recursive: true }));

const set = () => ({ root, links: 'refuse' as const });

const placed = (more: Partial<{ flipX: boolean; flipY: boolean; name: string }> = {}) => ({
  item: {
    name: 'sub/cat.png',
    path: join(root, 'sub/cat.png'),
    text: '',
    size: { width: 64, height: 48 },
    flipX: false,
    flipY: false,
    placement: PLACEMENT,
    ...more,
  },
  placement: PLACEMENT,
});
const PLACEMENT = {
  scaled: { width: 683, height: 512 },
  crop: { x: 5, y: 0, width: 672, height: 512 },
};

// Python: base64.urlsafe_b64encode(hashlib.md5(json.dumps(d, sort_keys=True).encode()).digest())
const EXPECTED_LATENTS = [
  'cat_2M-fS6E4etSdHSSPF7kFkw.safetensors',
  'cat_QhKvcu_slGFmulTBP_qHcA.safetensors',
  'cat_urgX9RxPexF4AFBfzdTL1A.safetensors',
];
const EXPECTED_TEXT = 'cat__zPzuAOicVIvquVJ0NIxXQ.safetensors';

let made = 0;
const make = () => {
  made++;
  return Promise.resolve({
    latent: nd(Float32Array.of(1, -2, Math.fround(0.1), made), [1, 1, 2, 2]),
  });
};

describe('cached', () => {
  beforeEach(() => {
    made = 0;
  });

  it('makes once what it then reads, number for number', async () => {
    const place = await latentPlace(set(), placed(), { space: 'sd1' });
    expect(dirname(place.path)).toBe(join(root, 'sub/_latent_cache'));
    const first = await cached(place, make);
    expect(await cached(place, make)).toEqual(first);
    expect(made).toBe(1);
    expect(readdirSync(dirname(place.path))).toEqual([basename(place.path)]);
  });

  it('names files by the rule of the spec: md5 of sorted JSON in base64url', async () => {
    const names = await Promise.all(
      [placed(), placed({ flipX: true }), placed({ flipX: true, flipY: true })].map(async (p) =>
        basename((await latentPlace(set(), p, { space: 'sd1' })).path),
      ),
    );
    expect(names).toEqual(EXPECTED_LATENTS);
    expect(basename(textPlace(set(), 'sub/cat.png', 'a “cat”', { space: 'sd1' }).path)).toBe(
      EXPECTED_TEXT,
    );
  });

  it.each<[string, (place: CachePlace) => void]>([
    ['cut off', ({ path }) => writeFileSync(path, readFileSync(path).subarray(0, -1))],
    ['empty', ({ path }) => writeFileSync(path, '')],
    ['no tensors', ({ path }) => writeFileSync(path, 'something else, long enough for a header')],
  ])('makes anew what is %s', async (_, spoil) => {
    const place = await latentPlace(set(), placed(), { space: 'sd1' });
    await cached(place, make);
    spoil(place);
    expect((await cached(place, make)).latent.data[3]).toBe(2);
    expect((await cached(place, make)).latent.data[3]).toBe(2);
  });

  it('makes anew what was made of another picture, autoencoder or program', async () => {
    const before = await latentPlace(set(), placed(), { space: 'sd1' });
    await cached(before, make);
    writeFileSync(join(root, 'sub/cat.png'), 'another picture of that name');
    const after = await latentPlace(set(), placed(), { space: 'sd1' });
    expect(after.path).toBe(before.path);
    expect((await cached(after, make)).latent.data[3]).toBe(2);
    const other = await latentPlace(set(), placed(), { space: 'sdxl' });
    expect(other.path).not.toBe(after.path);
    await cached({ ...after, madeOf: 'of something else' }, make);
    expect(made).toBe(3);
  });

  it('gives names that fit, and says what cannot be written', async () => {
    const long = textPlace(set(), `sub/${'猫'.repeat(84)}.png`, 'a', { space: 's' });
    expect(Buffer.byteLength(basename(long.path))).toBeLessThan(255);
    await cached(long, make);
    writeFileSync(join(root, '_t_e_cache'), 'a file in the way');
    const place = textPlace(set(), 'cat.png', 'a', { space: 's' });
    await expect(cached(place, make)).rejects.toThrow(/file 'cat_.*' could not be written/);
  });
});
