import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AssetServer, pngBytes, startAssetServer } from './support.ts';

let server: AssetServer;
const LONG_AGO = new Date('2024-01-02T03:04:05Z');

/** Puts a file into the input folder that was not changed lately. */
function put(name: string, bytes: Uint8Array, time = LONG_AGO): string {
  const path = join(server.folders.input, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, bytes);
  utimesSync(path, time, time);
  return path;
}

const scan = async (): Promise<void> => {
  const answer = await server.send('POST', '/api/assets/seed?wait=true', { roots: ['input'] });
  expect(answer.status).toBe(200);
};
interface Listed {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly hash: string | null;
  readonly tags: readonly string[];
}
const body = async <T>(path: string): Promise<T> => (await server.ask(path)).body as T;
const listed = async (): Promise<Listed[]> =>
  (await body<{ assets: Listed[] }>('/api/assets?sort=name&order=asc')).assets;
const tagsOf = async (id: string): Promise<readonly string[]> =>
  (await body<Listed>(`/api/assets/${id}`)).tags;
const ids = async (): Promise<string[]> => (await listed()).map(({ id }) => id);
const names = async (): Promise<string[]> => (await listed()).map(({ name }) => name);
const status = (): Promise<{ state: string; progress: unknown }> => body('/api/assets/seed/status');

afterEach(() => server.stop());

describe('a scan', () => {
  beforeEach(async () => {
    server = await startAssetServer();
  });

  it('makes assets of files that are new, once', async () => {
    put('a.png', pngBytes(1));
    put('deep/b.png', pngBytes(2));
    put('.hidden.png', pngBytes(3));
    put('empty.png', new Uint8Array());
    put('c.png.part', pngBytes(4));
    await scan();
    expect(await names()).toEqual(['a.png', 'b.png']);
    expect((await status()).progress).toEqual({ scanned: 3, total: 3, created: 2, skipped: 1 });
    await scan();
    expect(await names()).toEqual(['a.png', 'b.png']);
    expect((await status()).progress).toEqual({ scanned: 3, total: 3, created: 0, skipped: 3 });
    const told = server.events.map(({ type }) => type).filter((type) => type.startsWith('assets.'));
    expect(new Set(told)).toEqual(new Set(['assets.seed.started', 'assets.seed.completed']));
  });

  it('waits for files that may still be written', async () => {
    put('new.png', pngBytes(1), new Date());
    await scan();
    expect(await names()).toEqual(['new.png']);
  });

  it('knows what was changed, what is gone and what is there again', async () => {
    const path = put('a.png', pngBytes(1));
    await scan();
    const [first] = await listed();
    rmSync(path);
    await scan();
    expect(await tagsOf(first.id)).toContain('missing');
    put('a.png', pngBytes(1));
    await scan();
    const again = await listed();
    expect(again.map(({ id }) => id)).toEqual([first.id]);
    expect(again[0].tags).not.toContain('missing');
    put('a.png', pngBytes(2, 80));
    await scan();
    const [changed] = (await listed()).filter(({ id }) => id !== first.id);
    expect(changed.size).toBe(80);
    expect(await tagsOf(first.id)).toContain('missing');
  });

  it('marks what lies outside of all folders', async () => {
    put('a.png', pngBytes(1));
    await scan();
    expect((await server.send('POST', '/api/assets/prune', {})).body).toMatchObject({ marked: 0 });
    expect((await status()).state).toBe('IDLE');
  });

  it('is not led round by a link to itself', async () => {
    put('a.png', pngBytes(1));
    symlinkSync(join(server.folders.input, 'loop'), join(server.folders.input, 'loop'));
    await scan();
    expect(await names()).toEqual(['a.png']);
  });
});

describe('with hashes', () => {
  beforeEach(async () => {
    server = await startAssetServer({ hashing: true });
  });

  it('a file whose time alone changed stays the asset it was', async () => {
    const path = put('a.png', pngBytes(1));
    await scan();
    const [first] = await listed();
    expect(first.hash).toMatch(/^blake3:/);
    utimesSync(path, new Date(), new Date(LONG_AGO.getTime() + 60_000));
    await scan();
    expect(await ids()).toEqual([first.id]);
    put('a.png', pngBytes(9), new Date(LONG_AGO.getTime() + 120_000));
    await scan();
    const after = await listed();
    expect(after.some(({ id, tags }) => id !== first.id && !tags.includes('missing'))).toBe(true);
  });

  it('a missing file is known again by its bytes', async () => {
    const path = put('a.png', pngBytes(1));
    await scan();
    const [first] = await listed();
    rmSync(path);
    await scan();
    put('a.png', pngBytes(1), new Date(LONG_AGO.getTime() + 60_000));
    await scan();
    const [again] = await listed();
    expect([again.id, again.hash]).toEqual([first.id, first.hash]);
    expect(again.tags).not.toContain('missing');
  });
});
