/** The token: who is let in, and that it stays a secret. */
import * as crypto from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseConfig } from '../../engine/config.ts';
import { createGuard } from '../../engine/server/security.ts';
import { readUserTokens } from '../../engine/store/user-tokens.ts';
import { type TestServer, connect, startServer } from '../support/server.ts';
import { raw } from './raw.ts';

vi.mock('node:crypto', { spy: true });

const token = 'correct horse battery';
const cookieOf = (text: string): string => `noodle_token=${encodeURIComponent(text)}`;

let base: string;
let server: TestServer;
const anna = `anna-${'a'.repeat(20)}`;
const bert = `bert-${'b'.repeat(20)}`;
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'noodle-tokens-'));
  mkdirSync(join(base, 'user'), { recursive: true });
  const users = { anna_1: 'Anna', bert_2: 'Bert' };
  writeFileSync(join(base, 'user', 'users.json'), JSON.stringify(users));
  writeFileSync(join(base, 'user', 'tokens.json'), JSON.stringify({ anna_1: anna, bert_2: bert }));
  const flags = ['--token', token, '--multi-user', '--user-tokens'];
  server = await startServer({ base, flags: [...flags, join(base, 'user', 'tokens.json')] });
});
afterAll(async () => {
  await server?.stop();
  rmSync(base, { recursive: true, force: true });
});

describe('without the token', () => {
  it('nothing is answered, not even the page', async () => {
    const paths = ['/', '/prompt', '/queue', '/object_info', '/view?filename=a.png', '/settings'];
    const more = [
      '/internal/logs',
      '/internal/folder_paths',
      '/api/jobs',
      '/extensions/a/b.js',
      '/assets/index.js',
    ];
    const api = ['/v1/jobs', '/v1/events', '/v1/openapi.json', '/metrics', '/api/assets'];
    for (const path of [...paths, ...more, ...api]) {
      const answer = await raw(server, path);
      expect(answer.status, path).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    }
    expect((await raw(server, '/prompt', { method: 'POST', body: '{}' })).status).toBe(401);
    await expect(connect(server)).rejects.toThrow(/401/);
  });

  it.each([
    ['no token', {}],
    ['a wrong one', { Authorization: 'Bearer wrong horse battery' }],
    ['a part of it', { Authorization: `Bearer ${token.slice(0, -1)}` }],
    ['a longer one', { Authorization: `Bearer ${token}x` }],
    ['another scheme', { Authorization: `Basic ${token}` }],
    ['a wrong cookie', { Cookie: cookieOf('wrong') }],
    ['a broken cookie', { Cookie: 'noodle_token=%E0%A4%A' }],
    ['another cookie', { Cookie: `token=${encodeURIComponent(token)}` }],
  ])('%s is refused', async (_, headers) => {
    const answer = await raw(server, '/queue', { headers: headers });
    expect(answer.status).toBe(401);
  });

  it('addresses beyond this machine are not listened on', async () => {
    const refused = /--listen: expected loopback addresses only/;
    for (const listen of ['0.0.0.0', '::', '192.168.1.5', '127.0.0.1,10.0.0.1']) {
      expect(() => parseConfig(['--listen', listen]), listen).toThrow(refused);
    }
    expect(() => parseConfig(['--listen'])).toThrow(refused);
    expect(() => parseConfig(['--listen', '--token', 'short'])).toThrow(/at least 8/);
    expect(parseConfig(['--listen', '--token', token]).listen).toEqual(['0.0.0.0', '::']);
    const ended = startServer({ flags: ['--listen', '0.0.0.0'] });
    await expect(ended).rejects.toThrow(/ended \(2\).*--listen/s);
  });
});

describe('with the token', () => {
  it('header, cookie and address are taken', async () => {
    const bearer = { Authorization: `Bearer ${token}` };
    expect((await raw(server, '/queue', { headers: bearer })).status).toBe(200);
    const cookie = { Cookie: `a=b; ${cookieOf(token)}` };
    expect((await raw(server, '/queue', { headers: cookie })).status).toBe(200);
    expect((await raw(server, `/queue?token=${encodeURIComponent(token)}`)).status).toBe(200);
    await (await connect(server, { headers: bearer })).close();
  });

  it('a cookie is given that no script and no other site can use', async () => {
    const { headers } = await raw(server, `/prompt?token=${encodeURIComponent(token)}`);
    const [cookie] = headers['set-cookie'] as string[];
    expect(cookie).toMatch(/^noodle_token=/);
    expect(cookie).toContain('; HttpOnly');
    expect(cookie).toContain('; SameSite=Strict');
  });

  it('it is written nowhere', async () => {
    const query = `token=${encodeURIComponent(token)}`;
    await raw(server, `/nothing?${query}`);
    await raw(server, `/view?filename=../x&${query}`);
    await raw(server, `/history?max_items=x&${query}`);
    const headers = { Authorization: `Bearer ${token}` };
    const stats = await raw(server, '/system_stats', { headers });
    const logs = await raw(server, '/internal/logs/raw', { headers });
    for (const text of [stats.body, logs.body, server.log()]) {
      expect(text).not.toContain(token);
      expect(text).not.toContain(encodeURIComponent(token));
    }
    expect(logs.headers['referrer-policy']).toBe('same-origin');
  });

  it('the comparison takes as long for every wrong token', () => {
    const guard = createGuard({ token, userTokens: new Map([[anna, 'anna_1']]) });
    const compare = vi.mocked(crypto.timingSafeEqual);
    for (const given of ['c', token.slice(0, -1), `${token}${token}`, 'x'.repeat(5000)]) {
      compare.mockClear();
      expect(guard.refuse({ headers: { authorization: `Bearer ${given}` } })?.status).toBe(401);
      const lengths = compare.mock.calls.map(([a, b]) => [a.byteLength, b.byteLength]);
      expect(lengths).toEqual([
        [32, 32],
        [32, 32],
      ]);
    }
  });
});

describe('users', () => {
  const as = (given: string, user?: string) => ({
    Authorization: `Bearer ${given}`,
    ...(user === undefined ? {} : { 'Comfy-User': user }),
  });

  it('with a token of their own are themselves, whatever the header says', async () => {
    const body = '{"mine": "anna"}';
    const write = { method: 'POST', headers: as(anna), body };
    expect((await raw(server, '/userdata/note.json', write)).status).toBe(200);
    expect(readFileSync(join(base, 'user', 'anna_1', 'note.json'), 'utf8')).toBe(body);
    const own = await raw(server, '/userdata/note.json', { headers: as(anna, 'anna_1') });
    expect(own.body).toBe(body);
    for (const path of ['/userdata/note.json', '/settings', '/userdata?dir=.', '/users']) {
      expect((await raw(server, path, { headers: as(bert, 'anna_1') })).status, path).toBe(403);
    }
    expect((await raw(server, '/userdata/note.json', { headers: as(bert) })).status).toBe(404);
  });

  it('see no others and add none', async () => {
    expect(JSON.parse((await raw(server, '/users', { headers: as(bert) })).body)).toEqual({
      storage: 'server',
      users: { bert_2: 'Bert' },
    });
    const add = { method: 'POST', body: '{"username": "Carla"}' };
    expect((await raw(server, '/users', { ...add, headers: as(bert) })).status).toBe(403);
    expect((await raw(server, '/users', { ...add, headers: as(token) })).status).toBe(200);
  });

  it.each(['__system', '..', '../anna_1', '__proto__', 'constructor', 'nobody', ''])(
    'named %j by the header are not known',
    async (name) => {
      const { status } = await raw(server, '/settings', { headers: as(token, name) });
      expect(status).toBe(401);
    },
  );

  it('without the token are nobody', async () => {
    const headers = { 'Comfy-User': 'anna_1' };
    expect((await raw(server, '/userdata/note.json', { headers })).status).toBe(401);
  });

  it('have tokens from a file that is read strictly and never quoted', () => {
    const file = join(base, 'bad.json');
    for (const [text, problem] of [
      ['{"a": "short"}', /short token of 'a'/],
      [`{"a": "${anna}", "b": "${anna}"}`, /one token for two users/],
      [`{"__a": "${anna}"}`, /the id '__a'/],
      [`["${anna}"]`, /another JSON value/],
      [`{"a": "${anna}"`, /no JSON/],
    ] as const) {
      writeFileSync(file, text);
      expect(() => readUserTokens(file)).toThrow(problem);
      expect(() => readUserTokens(file)).not.toThrow(new RegExp(anna));
    }
    expect(() => readUserTokens(join(base, 'missing.json'))).toThrow('ENOENT');
    expect(() => parseConfig(['--user-tokens', file])).toThrow(/--multi-user/);
  });
});
