/** Training over /v1 on a whole server: runs and their states, data sets; every answer is held against the API's document. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PublicApi, openPublicApi } from '../support/public-api.ts';
import { type TestServer, startServer } from '../support/server.ts';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call -- JSON from the wire */

const trainingPack = fileURLToPath(new URL('training-pack', import.meta.url));
const checkpoints = fileURLToPath(new URL('../../models/checkpoints', import.meta.url));
const base = mkdtempSync(join(tmpdir(), 'noodle-training-'));
let server: TestServer;
let api: PublicApi;

beforeAll(async () => {
  mkdirSync(join(base, 'models'));
  symlinkSync(checkpoints, join(base, 'models/checkpoints'));
  mkdirSync(join(base, 'input/cats'), { recursive: true });
  for (const name of ['cat 2.png', 'cat 10.png', 'cat 1.jpg']) {
    const picture = sharp({ create: { width: 32, height: 24, channels: 3, background: 'red' } });
    writeFileSync(join(base, 'input/cats', name), await picture.toFormat('png').toBuffer());
  }
  writeFileSync(join(base, 'input/cats/cat 2.txt'), 'a cat');
  server = await startServer({ base, packs: [trainingPack] });
  api = await openPublicApi(server);
});
afterAll(async () => {
  await server?.stop();
  rmSync(base, { recursive: true, force: true });
});

const call = (method: string, path: string, body?: unknown) => api.call(method, path, body);
const runs = '/v1/training/runs';
const settings = {
  checkpoint: 'tiny-scenes.safetensors',
  family: 'sd1',
  datasets: ['cats'],
  resolutions: [64],
  steps: 40,
  save_every: 20,
  sample_every: 20,
  sample_width: 64,
  sample_height: 64,
  sample_steps: 1,
  prompts: ['a cat', 'a dog'],
};
const create = (name: string, more: object = {}) =>
  call('POST', runs, { name, settings: { ...settings, ...more } });
const stateOf = async (name: string): Promise<string> =>
  (await call('GET', `${runs}/${name}`)).json.state;
const until = (name: string, state: string) =>
  expect.poll(() => stateOf(name), { timeout: 90_000 }).toBe(state);

describe('a training run', { timeout: 240_000 }, () => {
  it('is made of settings, trained as a job of the queue, and shows what it made', async () => {
    const made = await create('my cat');
    expect([made.status, made.json.state, made.json.steps]).toEqual([201, 'new', null]);
    expect(made.headers.get('location')).toBe(made.json.urls.self);
    expect(made.json.prompts).toEqual(['a cat', 'a dog']);
    const config = (await call('GET', `${runs}/my%20cat/config`)).json;
    expect(config).toContain('name_or_path: tiny-scenes.safetensors');
    expect(config).toContain('training_folder: output/training');
    expect(config).not.toContain(base);

    const started = (await call('POST', `${runs}/my%20cat/start`)).json;
    expect(['waiting', 'running']).toContain(started.state);
    const job = (await call('GET', `/v1/jobs/${started.job_id}?include=prompt`)).json;
    expect(job.prompt).toEqual({ 1: { class_type: 'NoodleTrain', inputs: { run: 'my cat' } } });
    await until('my cat', 'finished');
    const done = (await call('GET', `${runs}/my%20cat`)).json;
    expect(done).toMatchObject({ step: 40, steps: 40, error: null, job_id: null });
    expect(done.seconds_per_step).toBeGreaterThan(0);
    expect(done.seconds_left).toBeNull();

    const { losses, last } = (await call('GET', `${runs}/my%20cat/losses?after=38`)).json;
    expect([losses.map(({ step }: any) => step), last]).toEqual([[39, 40], 40]);
    expect((await call('GET', `${runs}/my%20cat/losses`)).json.losses).toHaveLength(40);
    expect((await call('GET', `${runs}/my%20cat/losses?after=99`)).json).toEqual({
      losses: [],
      last: 40,
    });

    const { samples } = (await call('GET', `${runs}/my%20cat/samples`)).json;
    expect(samples.map(({ step, index }: any) => [step, index]).slice(-4)).toEqual([
      [20, 0],
      [20, 1],
      [40, 0],
      [40, 1],
    ]);
    for (const address of [samples[0].url, samples[0].thumbnail_url, done.picture]) {
      expect((await server.get(address)).headers.get('content-type')).toMatch(/^image\//);
    }
    const { saves } = (await call('GET', `${runs}/my%20cat/saves`)).json;
    expect(saves.map(({ filename, step }: any) => [filename, step])).toEqual(
      expect.arrayContaining([
        ['my cat.safetensors', null],
        ['my cat_000000020.safetensors', 20],
      ]),
    );
    const file = await server.get(saves[0].url);
    expect((await file.arrayBuffer()).byteLength).toBe(saves[0].bytes);
  });

  it('is paused and goes on where it was, is stopped, and only then deleted', async () => {
    await create('slow', { steps: 100_000 });
    expect((await call('POST', `${runs}/slow/pause`)).json.code).toBe('run_not_active');
    await call('POST', `${runs}/slow/start`);
    await until('slow', 'running');
    await expect.poll(async () => (await call('GET', `${runs}/slow`)).json.step).toBeGreaterThan(3);
    expect((await call('POST', `${runs}/slow/start`)).json.code).toBe('run_active');
    expect((await call('DELETE', `${runs}/slow`)).status).toBe(409);
    expect((await call('PUT', `${runs}/slow/config`, { yaml: 'a: 1' })).status).toBe(409);
    const pausing = await call('POST', `${runs}/slow/pause`);
    expect(pausing.status).toBe(202);
    await until('slow', 'paused');
    const { step } = (await call('GET', `${runs}/slow`)).json;
    await call('POST', `${runs}/slow/start`);
    await until('slow', 'running');
    await expect
      .poll(async () => (await call('GET', `${runs}/slow`)).json.step)
      .toBeGreaterThan(step);
    expect((await call('GET', `${runs}/slow`)).json.seconds_left).toBeGreaterThan(100);
    expect((await call('POST', `${runs}/slow/stop`)).status).toBe(202);
    await until('slow', 'stopped');
    expect((await call('POST', `${runs}/slow/stop`)).status).toBe(409);
    expect((await call('DELETE', `${runs}/slow`)).json).toEqual({ name: 'slow' });
    expect(existsSync(join(base, 'output/training/slow'))).toBe(false);
    expect((await call('GET', `${runs}/slow`)).status).toBe(404);
  });

  it('waits in the queue like any other job, and leaves it when it is paused there', async () => {
    await create('first', { steps: 100_000 });
    await create('second');
    await call('POST', `${runs}/first/start`);
    await call('POST', `${runs}/second/start`);
    await until('first', 'running');
    await until('second', 'waiting');
    const paused = await call('POST', `${runs}/second/pause`);
    expect([paused.status, paused.json.state, paused.json.job_id]).toEqual([200, 'new', null]);
    // Whoever cancels the job pauses the run.
    const { job_id: job } = (await call('GET', `${runs}/first`)).json;
    await call('DELETE', `/v1/jobs/${job}`);
    await until('first', 'paused');
    const stopped = await call('POST', `${runs}/first/stop`);
    expect([stopped.status, stopped.json.state]).toEqual([200, 'stopped']);
  });

  it('that failed says why, and goes on when its job is mended', async () => {
    mkdirSync(join(base, 'input/lost'));
    writeFileSync(join(base, 'input/lost/a.png'), readFileSync(join(base, 'input/cats/cat 2.png')));
    await create('bad', { datasets: ['lost'] });
    rmSync(join(base, 'input/lost'), { recursive: true });
    await call('POST', `${runs}/bad/start`);
    await until('bad', 'failed');
    expect((await call('GET', `${runs}/bad`)).json.error).not.toBeNull();
    const config = (await call('GET', `${runs}/bad/config`)).json as string;
    expect((await call('PUT', `${runs}/bad/config`, { yaml: config })).status).toBe(400);
    const yaml = config.replace('folder_path: lost', 'folder_path: cats');
    expect((await call('PUT', `${runs}/bad/config`, { yaml })).status).toBe(200);
    await call('POST', `${runs}/bad/start`);
    await until('bad', 'finished');
  });

  it('whose engine died is trained further', async () => {
    await create('killed', { steps: 120 });
    await call('POST', `${runs}/killed/start`);
    await until('killed', 'running');
    for (const pid of await server.engines()) process.kill(pid, 'SIGKILL');
    await until('killed', 'finished');
    const { losses } = (await call('GET', `${runs}/killed/losses`)).json;
    expect(losses.at(-1).step).toBe(120);
  });

  it('is refused for names and paths that lead elsewhere, and for what is not there', async () => {
    for (const name of ['../up', 'a/b', '.hidden', 'x'.repeat(101)]) {
      const { status } = await call('POST', runs, { name, settings });
      expect([name, status]).toEqual([name, 400]);
    }
    expect((await create('my cat')).json.code).toBe('file_exists');
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{ datasets: ['dogs'] }, /data set 'dogs' was not found/],
      [{ datasets: ['../output'] }, /lies outside the folder/],
      [{ datasets: ['/etc'] }, /lies outside the folder/],
      [{ checkpoint: '/etc/passwd' }, /lies outside the folder/],
      [{ checkpoint: 'big.safetensors' }, /'big.safetensors' was not found/],
    ];
    for (const [more, detail] of wrong) {
      const { status, json } = await create('refused', more);
      expect(status).toBe(400);
      expect(json.detail).toMatch(detail);
    }
    expect((await call('GET', `${runs}/..%2F..`)).status).toBe(400);
    expect((await call('POST', runs, { name: 'a', settings, yaml: 'x' })).status).toBe(400);
    expect((await call('POST', runs, { name: 'a' })).status).toBe(400);
    expect(existsSync(join(base, 'output/training/refused'))).toBe(false);
  });

  it('is checked without being made', async () => {
    const { json } = await call('POST', '/v1/training/check', { name: 'checked', settings });
    expect(json).toMatchObject({ valid: true, name: 'checked', errors: [] });
    const again = await call('POST', '/v1/training/check', { yaml: json.yaml });
    expect(again.json).toMatchObject({ valid: true, name: 'checked' });
    const bad = (await call('POST', '/v1/training/check', { yaml: 'job: [' })).json;
    expect(bad.valid).toBe(false);
    expect(bad.errors[0].pointer).toBe('/yaml');
    // What is done in another way is said; nothing of the server's environment is told.
    const said = json.yaml.replace('lr: 0.0001', 'lr: 0.0001\n        dtype: bf16\n        lrr: 1');
    expect((await call('POST', '/v1/training/check', { yaml: said })).json).toMatchObject({
      valid: true,
      substitutions: [expect.stringContaining('train.dtype: bf16 -> fp32')],
      warnings: [expect.stringContaining('train.lrr')],
    });
    const spy = json.yaml.replace('name: checked', 'name: ${PATH}');
    expect((await call('POST', '/v1/training/check', { yaml: spy })).json.valid).toBe(false);
    const flow = { ...settings, family: 'flux', min_snr_gamma: 5 };
    const { json: refused } = await call('POST', '/v1/training/check', {
      name: 'a',
      settings: flow,
    });
    expect(refused.errors[0].pointer).toBe('/settings/min_snr_gamma');
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from('bcdefghi', (name, i) => {
      const before = 'abcdefgh'[i];
      return `${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(',')}]`;
    }).join('\n')}`;
    expect((await call('POST', '/v1/training/check', { yaml: bomb })).json.valid).toBe(false);
    expect(existsSync(join(base, 'output/training/checked'))).toBe(false);
  });

  it('can be chosen from what there is', async () => {
    const { json } = await call('GET', '/v1/training/options');
    expect(json.checkpoints).toContain('tiny-scenes.safetensors');
    expect(json.defaults).toMatchObject({ rank: 16, optimizer: 'adamw' });
    const list = (await call('GET', runs)).json.runs;
    expect(list.map(({ name }: any) => name)).toContain('my cat');
  });
});

describe('a data set', () => {
  const sets = '/v1/training/datasets';

  it('lists its pictures as people count, with captions and small pictures', async () => {
    const { datasets } = (await call('GET', sets)).json;
    expect(datasets).toMatchObject([{ name: 'cats', pictures: 3, captions: 1 }]);
    expect((await server.get(datasets[0].picture)).status).toBe(200);
    const { items } = (await call('GET', `${sets}/cats`)).json;
    expect(items.map(({ filename, caption }: any) => [filename, caption])).toEqual([
      ['cat 1.jpg', null],
      ['cat 2.png', 'a cat'],
      ['cat 10.png', null],
    ]);
    for (const address of [items[1].url, items[1].thumbnail_url]) {
      expect((await server.get(address)).headers.get('content-type')).toMatch(/^image\//);
    }
    const page = (await call('GET', `${sets}/cats?limit=1&offset=2`)).json;
    expect(page.items.map(({ filename }: any) => filename)).toEqual(['cat 10.png']);
  });

  it('is made, filled by uploads, captioned, and emptied again', async () => {
    expect((await call('POST', sets, { name: 'dogs/old' })).status).toBe(201);
    expect((await call('POST', sets, { name: 'dogs/old' })).status).toBe(409);
    const form = new FormData();
    form.append('subfolder', 'dogs/old');
    form.append('image', new Blob([readFileSync(join(base, 'input/cats/cat 2.png'))]), 'a.png');
    expect((await server.get('/upload/image', { method: 'POST', body: form })).status).toBe(200);
    const at = `${sets}/dogs%2Fold`;
    const caption = { caption: 'ein Hund,\n"alt" ü' };
    expect((await call('PUT', `${at}/captions/a.png`, caption)).json).toMatchObject(caption);
    expect(readFileSync(join(base, 'input/dogs/old/a.txt'), 'utf8')).toBe(caption.caption);
    expect((await call('PUT', `${at}/captions/b.png`, caption)).status).toBe(404);
    expect((await call('PUT', `${at}/captions/..%2Fa.png`, caption)).status).toBe(403);
    expect((await call('DELETE', `${at}/pictures/a.png`)).status).toBe(200);
    expect((await call('DELETE', `${at}/pictures/a.png`)).status).toBe(404);
    expect(existsSync(join(base, 'input/dogs/old/a.txt'))).toBe(false);
  });

  it('has all its captions changed at once', async () => {
    const at = `${sets}/cats/captions`;
    const captions = async (): Promise<string[]> =>
      (await call('GET', `${sets}/cats`)).json.items.map(({ caption }: any) => caption);
    expect((await call('POST', at, { prepend: 'sks' })).json).toEqual({ changed: 3 });
    expect(await captions()).toEqual(['sks', 'sks, a cat', 'sks']);
    expect((await call('POST', at, { prepend: 'sks' })).json).toEqual({ changed: 0 });
    await call('POST', at, { find: 'a cat', replace: '$& one', append: 'photo' });
    expect(await captions()).toEqual(['sks, photo', 'sks, $& one, photo', 'sks, photo']);
  });

  it('is nothing outside the input folder, and no folder of caches', async () => {
    mkdirSync(join(base, 'input/cats/_latent_cache'), { recursive: true });
    expect((await call('GET', sets)).json.datasets.map(({ name }: any) => name)).toEqual([
      'cats',
      'dogs',
      'dogs/old',
    ]);
    expect((await call('GET', `${sets}/..%2Foutput`)).status).toBe(403);
    expect((await call('GET', `${sets}/wolves`)).status).toBe(404);
    expect((await call('POST', sets, { name: '_mine' })).status).toBe(400);
  });
});

it('calls every operation of the document', () => {
  expect(api.uncalled((tag) => tag === 'Training')).toEqual([]);
});
