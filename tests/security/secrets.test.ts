/** Credentials that come with a prompt reach its nodes and nothing else. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { redact } from '../../engine/graph/redact.ts';
import { type TestServer, connect, startServer, testingPack } from '../support/server.ts';

/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call -- JSON from the wire */

const key = 'api-key-5f0c1e';
const token = 'auth-token-77ab"\\é';
const secrets = { api_key_comfy_org: key, auth_token_comfy_org: token };

let base: string;
let server: TestServer;
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'noodle-secrets-'));
  const packs = [testingPack, join(import.meta.dirname, 'misbehaving-pack')];
  server = await startServer({ base, packs, flags: ['--verbose', 'DEBUG'] });
});
afterAll(async () => {
  await server?.stop();
  rmSync(base, { recursive: true, force: true });
});

const image = {
  class_type: 'StubConstantImage',
  inputs: { value: 0.5, height: 8, width: 8, batch_size: 1 },
};
const save = { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'a' } };

async function submit(prompt: object, sid: string): Promise<string> {
  const extra_data = { ...secrets, extra_pnginfo: { workflow: { id: 'w' } } };
  const response = await server.post('/prompt', { prompt, extra_data, client_id: sid });
  expect(response.status).toBe(200);
  return ((await response.json()) as { prompt_id: string }).prompt_id;
}

/** Everything of the installation and of its routes as one text, bytes as Latin-1. */
async function everything(ids: readonly string[]): Promise<Record<string, string>> {
  const found: Record<string, string> = { 'the log': server.log() };
  for (const entry of readdirSync(base, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    found[path] = readFileSync(path, 'latin1');
  }
  const jobs = ids.flatMap((id) => [`/history/${id}`, `/api/jobs/${id}`, `/v1/jobs/${id}`]);
  for (const path of ['/queue', '/history', '/api/jobs', '/internal/logs', ...jobs]) {
    found[path] = await (await server.get(path)).text();
  }
  return found;
}

function expectNoSecrets(places: Record<string, string>): void {
  for (const [place, text] of Object.entries(places)) {
    for (const secret of [key, 'auth-token-77ab']) {
      expect(text.includes(secret), `${secret} in ${place}`).toBe(false);
    }
  }
}

it('wait, run, succeed and fail without leaving them anywhere', async () => {
  const client = await connect(server);
  const sleep = { class_type: 'TestSleep', inputs: { value: ['1', 0], seconds: 30 } };
  const blocking = await submit(
    { 1: image, 2: sleep, 3: { ...save, inputs: { ...save.inputs, images: ['2', 0] } } },
    client.sid,
  );
  const uses = { class_type: 'UsesKey', inputs: { text: 'mine' } };
  const fails = { class_type: 'FailsWithKey', inputs: { text: 'x' } };
  const used = await submit({ 1: image, 2: save, 3: uses }, client.sid);
  const failed = await submit({ 1: fails }, client.sid);
  await client.until((m) => m.type === 'executing' && 'data' in m && m.data.node === '2');
  expectNoSecrets(await everything([blocking, used, failed]));

  await server.post('/interrupt', {});
  for (const id of [blocking, used, failed]) await client.finished(id);
  const history = await server.json('/history');
  // They did arrive where they were asked for.
  expect(history[used].outputs['3'].text).toEqual([`mine: ${key.length}`]);
  expect(history[used].outputs['2'].images).toHaveLength(1);
  const [, error] = history[failed].status.messages.at(-1);
  expect(error.exception_message).toBe('x: GET https://api.example/?key=…&token=… answered 402\n');
  expect(error.current_inputs).toMatchObject({ key: ['…'], token: ['…'], text: ['x'] });
  expectNoSecrets(await everything([blocking, used, failed]));
  expectNoSecrets({ messages: JSON.stringify(client.messages) });
  await client.close();
}, 40_000);

it('are cut out of reports however deep they stand, and nothing else is', () => {
  const report = { a: [`x${key}y`, 5, { b: token }], c: null, d: new Uint8Array(2), e: 'ab' };
  expect(redact(report, secrets)).toEqual({ ...report, a: ['x…y', 5, { b: '…' }] });
  // Too short to be a secret: it would tear texts apart.
  expect(redact(report, { api_key_comfy_org: 'ab' })).toBe(report);
  expect(redact(report, {})).toBe(report);
});
