/** Node packs on a real server: broken ones, their files for the page, reloading while writing them. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PackFiles, nodeText as node, packFiles } from '../support/pack-files.ts';
import { workflowToPrompt } from '../../engine/workflow/to-prompt.ts';
import type { ObjectInfo } from '../../engine/workflow/types.ts';
import { parseJson, stringifyJson } from '../../engine/workflow/lossless-json.ts';
import { type TestServer, connect, startServer } from '../support/server.ts';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call -- JSON from the wire */

let files: PackFiles;
let server: TestServer;
beforeEach(() => {
  files = packFiles();
});
afterEach(async () => {
  await server?.stop();
  files.remove();
});

const start = async (...flags: string[]): Promise<TestServer> =>
  (server = await startServer({ base: files.base, flags }));
const submit = async (classType: string, inputs: object = {}): Promise<string> => {
  const prompt = { 1: { class_type: classType, inputs } };
  const answer = (await (await server.post('/prompt', { prompt })).json()) as any;
  expect(answer.error).toBeUndefined();
  return answer.prompt_id;
};
const finished = (id: string): Promise<any> =>
  expect
    .poll(async () => (await server.json(`/history/${id}`))[id]?.status.status_str, {
      timeout: 20_000,
    })
    .toBe('success')
    .then(async () => (await server.json(`/history/${id}`))[id].outputs['1']);

describe('broken packs', () => {
  it('are reported and cost the server nothing', async () => {
    files.write('a-exits.mjs', `process.exit(0);`);
    files.write('b-throws.mjs', `throw new Error('broken on purpose');`);
    files.write('c-pollutes.mjs', `Object.prototype.polluted = 1; export const nodes = [];`);
    files.write('d-python/__init__.py', '');
    files.write(
      'e-late.mjs',
      `setInterval(() => { throw new Error('late'); }, 20);
       export const nodes = [${node('Late')}, ${node('PreviewAny')}];`,
    );
    files.write(
      'f-engine.mjs',
      `if (process.argv[1].includes('worker/main')) process.exit(7); export const nodes = [${node('OnlyChecked')}];`,
    );
    await start();
    expect((await server.get('/system_stats')).status).toBe(200);
    expect(await finished(await submit('Late'))).toEqual({ text: ['Late'] });
    const packs = (await server.json('/ui/packs')) as any[];
    expect(packs.map(({ id, nodes }) => [id, nodes])).toEqual([
      ['a-exits', []],
      ['b-throws', []],
      ['c-pollutes', []],
      ['d-python', []],
      ['e-late', ['Late']],
      ['f-engine', []],
    ]);
    // what a timer throws may come before or after what is found out about the pack's nodes
    const problems = packs.map((pack) => pack.problems as string[]);
    expect(problems[0][0]).toBe('it ended its process (exit code 0)');
    expect(problems[1][0]).toBe('broken on purpose');
    expect(problems[2][0]).toBe('it adds Object.prototype.polluted, which every other pack sees');
    expect(problems[3][0]).toBe('a Python pack: expected index.ts, index.js or index.mjs');
    expect(problems[4]).toContain(
      'node PreviewAny is already defined by the built-in nodes; that one is kept',
    );
    expect(problems[5][0]).toBe('in an engine: exit code 7');
    expect(server.log()).toContain("pack 'b-throws': broken on purpose");
    expect(await server.json('/object_info/OnlyChecked')).toEqual({});
    expect(Object.keys(await server.json('/object_info'))).toContain('Late');
  });

  it('are not even looked at with --disable-all-custom-nodes', async () => {
    files.write('a.mjs', `export const nodes = [${node('A')}];`);
    files.write('b.mjs', `export const nodes = [${node('B')}];`);
    files.write('c/index.mjs', `process.exit(0);`);
    files.write('c/locales/en/main.json', '{"c": 1}');
    await start('--disable-all-custom-nodes', '--whitelist-custom-nodes', 'b');
    expect((await server.json('/ui/packs')).map(({ id }: any) => id)).toEqual(['b']);
    expect(await server.json('/object_info/A')).toEqual({});
    expect(await server.json('/i18n')).toEqual({});
    expect(await finished(await submit('B'))).toEqual({ text: ['B'] });
  });

  it('are found in every search path, the first of a name winning', async () => {
    const more = packFiles();
    files.write('same.mjs', `export const nodes = [${node('First')}];`);
    more.write('same.mjs', `export const nodes = [${node('Second')}];`);
    more.write('other.mjs', `export const nodes = [${node('Other')}, ${node('First')}];`);
    more.write('../paths.yaml', `more:\n  custom_nodes: ${more.folder}\n`);
    await start('--extra-model-paths-config', join(more.base, 'paths.yaml'));
    expect(await finished(await submit('Other'))).toEqual({ text: ['Other'] });
    const packs = (await server.json('/ui/packs')) as any[];
    expect(packs.map(({ id, nodes }) => [id, nodes])).toEqual([
      ['same', ['First']],
      ['other', ['Other']],
      ['same', []],
    ]);
    more.remove();
  });
});

describe('files for the page', () => {
  it('are those of the web folder only, each with its type', async () => {
    files.write(
      'my pack/index.mjs',
      `export const name = 'Fine name'; export const nodes = []; export const webDirectory = './js';`,
    );
    for (const name of ['a.js', 'deep/b c.js', 'style.css', 'icon.svg', 'page.html', 'x.wasm']) {
      files.write(`my pack/js/${name}`, '/**/');
    }
    files.write('my pack/js/.hidden.js', '');
    files.write('my pack/js/node_modules/x/x.js', '');
    files.write('my pack/secret.js', 'secret');
    symlinkSync(join(files.folder, 'my pack', 'secret.js'), join(files.folder, 'my pack/js/l.js'));
    await start();
    const address = '/extensions/my%20pack';
    expect(await server.json('/extensions')).toEqual([
      `${address}/a.js`,
      `${address}/deep/b%20c.js`,
    ]);
    const type = async (name: string): Promise<unknown> => {
      const answer = await server.get(`${address}/${name}`);
      return answer.status === 200 ? answer.headers.get('content-type') : answer.status;
    };
    expect(await type('deep/b%20c.js')).toBe('text/javascript; charset=utf-8');
    expect(await type('style.css')).toBe('text/css; charset=utf-8');
    expect(await type('icon.svg')).toBe('image/svg+xml');
    expect(await type('page.html')).toBe('text/html; charset=utf-8');
    expect(await type('x.wasm')).toBe('application/wasm');
    for (const name of ['..%2fsecret.js', 'l.js', '.hidden.js', 'none.js', '..%2findex.mjs']) {
      expect([403, 404], name).toContain(await type(name));
    }
  });

  it('come with translations, examples and blueprints: the example pack', async () => {
    symlinkSync(resolve('custom_nodes/example'), join(files.folder, 'example'));
    await start();
    expect(await server.json('/extensions')).toEqual(['/extensions/example/example.js']);
    const texts = await server.json('/i18n');
    expect(texts.de.nodeDefs.ExampleAdjust.display_name).toBe('Anpassen (Beispiel)');
    const names = (await server.json('/workflow_templates')).example as string[];
    expect(names).toEqual(['Lists and waiting', 'Pictures and choices']);
    const info = (await server.json('/object_info')) as ObjectInfo;
    const shown: any[] = [];
    for (const name of names) {
      const answer = await server.get(
        `/api/workflow_templates/example/${encodeURIComponent(name)}.json`,
      );
      const { prompt, warnings } = workflowToPrompt(parseJson(await answer.text()), info);
      expect(warnings).toEqual([]);
      const { prompt_id: id } = (await (
        await server.post('/prompt', stringifyJson({ prompt }))
      ).json()) as any;
      await finished(id);
      const { outputs } = (await server.json(`/history/${id}`))[id];
      shown.push(Object.values(outputs).flatMap((ui: any) => ui.text ?? []));
    }
    expect(shown).toEqual([
      ['oneone, twotwo, threethree', '0'],
      ['node 5 of 6: [1, 128, 256, 3], mean 0.270'],
    ]);
    const subgraphs = Object.entries(await server.json('/global_subgraphs'));
    expect(subgraphs.map(([, entry]) => entry)).toEqual([
      {
        source: 'custom_node',
        name: 'Soft negative',
        info: { node_pack: 'custom_nodes.example' },
      },
    ]);
    const { data } = await server.json(`/global_subgraphs/${subgraphs[0][0]}`);
    const { prompt } = workflowToPrompt(parseJson(data), info);
    expect(Object.values(prompt).map(({ class_type }) => class_type)).toEqual([
      'ExampleAdjust',
      'ExampleAdjust',
    ]);
  });
});

describe('--dev-reload', () => {
  // Runs until it is told to end, however long the machine takes to see what changed.
  const signal = join(mkdtempSync(join(tmpdir(), 'noodle-reload-')), 'end');
  const slow = `{ name: 'Slow', outputNode: true, run: async () => {
    const { existsSync } = await import('node:fs');
    while (!existsSync(${JSON.stringify(signal)})) await new Promise((done) => setTimeout(done, 20));
    return { ui: { text: ['old'] } }; } }`;
  afterAll(() => rmSync(dirname(signal), { recursive: true }));

  it('loads what changed into server and engine, and drops nothing', async () => {
    files.write(
      'a/index.mjs',
      `export { nodes } from './nodes.mjs'; export const webDirectory = 'web';`,
    );
    files.write('a/nodes.mjs', `export const nodes = [${slow}];`);
    files.write('a/web/a.js', '1');
    await start('--dev-reload');
    const client = await connect(server);
    const running = await submit('Slow');
    await expect
      .poll(async () => (await server.json('/queue')).queue_running.length, { timeout: 10_000 })
      .toBe(1);
    const before = await server.engines();
    const waiting = await submit('Slow', { unused: 1 });

    files.write(
      'a/nodes.mjs',
      `export const nodes = [${slow.replace("'old'", "'new'")}, ${node('Added')}];`,
    );
    await client.until(({ type }) => type === 'packs_changed');
    expect(Object.keys(await server.json('/object_info'))).toContain('Added');
    writeFileSync(signal, '');
    expect(await finished(running)).toEqual({ text: ['old'] });
    expect(await finished(waiting)).toEqual({ text: ['new'] });
    expect(await finished(await submit('Added'))).toEqual({ text: ['Added'] });
    const after = await server.engines();
    expect(after).not.toEqual(before);

    client.messages.length = 0;
    files.write('a/web/a.js', '22');
    await client.until(({ type }) => type === 'packs_changed');
    expect(await server.engines()).toEqual(after);

    client.messages.length = 0;
    files.write('a/nodes.mjs', 'export const nodes = [');
    await client.until(({ type }) => type === 'packs_changed');
    expect((await server.json('/ui/packs'))[0].problems).toHaveLength(1);
    files.write('a/nodes.mjs', `export const nodes = [${node('Again')}];`);
    await expect
      .poll(async () => server.json('/object_info/Again'), { timeout: 10_000 })
      .not.toEqual({});
    expect(await finished(await submit('Again'))).toEqual({ text: ['Again'] });
    await client.close();
  });
});
