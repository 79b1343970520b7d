import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NodeRegistry } from '../../../engine/graph/definition.ts';
import { findPacks } from '../../../engine/packs/find-packs.ts';
import { nodeInfo } from '../../../engine/graph/object-info.ts';
import { validatePrompt } from '../../../engine/graph/validate.ts';
import { type PackHost, createPackHost } from '../../../engine/packs/pack-host.ts';
import { createFolders } from '../../../engine/store/folders.ts';
import { stringifyJson } from '../../../engine/workflow/lossless-json.ts';
import { builtinNodes } from '../../../nodes/index.ts';
import { type PackFiles, nodeText as node, packFiles } from '../../support/pack-files.ts';

let files: PackFiles;
let host: PackHost;
let logged: string[];

const open = (limits: { importLimit?: number; answerLimit?: number } = {}): PackHost =>
  (host = createPackHost({
    folders: { base: files.base, program: files.base, extraModelPaths: [] },
    find: () => findPacks({ directories: [files.folder] }),
    builtin: Promise.resolve(builtinNodes()),
    log: (level, text) => logged.push(`${level} ${text}`),
    ...limits,
  }));
const packNodes = async (): Promise<string[]> =>
  [...(await host.nodes()).keys()].filter((name) => !builtinNodes().has(name));
const problems = async (): Promise<string[]> =>
  (await host.reports()).flatMap((report) =>
    report.problems.map(({ error }) => `${report.id}: ${error}`),
  );
const info = async (name: string): Promise<string> =>
  stringifyJson(nodeInfo((await host.nodes()).get(name)!, createFolders({ base: files.base })));
const validate = async (classType: string, inputs: object) => {
  const nodes: NodeRegistry = await host.nodes();
  const prompt = { 1: { class_type: classType, inputs: { ...inputs } } };
  return validatePrompt(prompt, { nodes, source: createFolders({ base: files.base }) });
};

beforeEach(() => {
  files = packFiles();
  logged = [];
});
afterEach(() => {
  host.close();
  files.remove();
});

describe('loading', () => {
  it('has no process and only built-in nodes without packs', async () => {
    open();
    expect([...(await host.nodes()).keys()]).toEqual([...builtinNodes().keys()]);
    expect(await host.loadable()).toEqual([]);
  });

  it('leaves out what breaks the process, and loads the others', async () => {
    files.write('a-good.mjs', `export const nodes = [${node('A')}];`);
    files.write('b-exits/index.mjs', `process.exit(3);`);
    files.write('c-never/index.mjs', `await new Promise(() => {});`);
    files.write('d-busy.mjs', `for (;;);`);
    files.write('e-throws.mjs', `throw new TypeError('no');`);
    files.write('f-killed.mjs', `process.kill(process.pid, 'SIGSEGV');`);
    files.write('g-moves.mjs', `process.chdir('/'); export const nodes = [${node('G')}];`);
    files.write(
      'h-pollutes.mjs',
      `Object.prototype.polluted = { type: 'INT' }; export const nodes = [${node('H')}];`,
    );
    files.write('i-good.mjs', `export const nodes = [${node('I')}];`);
    open({ importLimit: 1000 });
    expect(await packNodes()).toEqual(['A', 'G', 'H', 'I']);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(await problems()).toEqual([
      'b-exits: it ended its process (exit code 3)',
      'c-never: loading it took longer than 1 s',
      'd-busy: loading it took longer than 1 s',
      'e-throws: no',
      'f-killed: it ended its process (SIGSEGV)',
      'g-moves: it changes the working directory; that is undone',
      'h-pollutes: it adds Object.prototype.polluted, which every other pack sees',
    ]);
  });

  it("finds the node API from anywhere, and it is the program's own", async () => {
    files.write('a/package.json', '{ "name": "a", "type": "module" }');
    const text = `import { ExecutionBlocker, defineNode, int } from 'noodle/node';
       import type { NodeDefinition } from 'noodle/node';
       const own = await import(process.argv[1].replace('packs/pack-process.ts', 'node.ts'));
       export const nodes: NodeDefinition[] = [defineNode({
         name: own.ExecutionBlocker === ExecutionBlocker ? 'Same' : 'Other', category: 'x',
         module: 'm', form: 'v1', inputs: { n: int() }, outputs: [], run: () => [] })];`;
    files.write('a/index.ts', text);
    // No package.json says that these are ES modules.
    files.write('b.ts', text.replace("'Same'", "'SameTs'"));
    files.write(
      'c.js',
      text.replace("'Same'", "'SameJs'").replace(/import type.*|: NodeDef.*?\]/g, ''),
    );
    open();
    expect(await problems()).toEqual([]);
    expect(await packNodes()).toEqual(['Same', 'SameTs', 'SameJs']);
  });

  it('loads packs of several files from anywhere, also the one that comes with the program', async () => {
    const part = (name: string): string =>
      `import { defineNode, string } from 'noodle/node';
       export const nodes = [defineNode({ name: '${name}', category: 'x', inputs: { text: string() },
         outputs: [{ type: 'STRING' }], run: ({ text }) => [text] })];`;
    files.write('a/index.ts', `export { nodes } from './part.ts';`);
    files.write('a/part.ts', part('WithEnding'));
    files.write('b/index.ts', `export { nodes } from './lib';`);
    files.write('b/lib/index.ts', `export * from '../part';`);
    files.write('b/part.ts', part('WithoutEnding'));
    files.write('c/index.js', `import { nodes } from './part.js?a=1'; export default { nodes };`);
    files.write('c/part.js', part('Queried'));
    cpSync('custom_nodes/example', join(files.folder, 'example'), { recursive: true });
    open();
    expect(await problems()).toEqual([]);
    expect((await packNodes()).slice(0, 4)).toEqual([
      'WithEnding',
      'WithoutEnding',
      'Queried',
      'ExampleAdjust',
    ]);
  });

  it('reports nodes that are no data', async () => {
    files.write(
      'a.mjs',
      `export const nodes = [${node('Good')}, ${node('Bad', "inputs: { x: { type: 'INT', options: { default: () => 1 } } }")},
       { get name() { throw new Error('getter'); } }, ${node('BadDynamic', "inputs: { x: { type: 'X', dynamic: { kind: 'none' } } }")}];`,
    );
    open();
    expect(await packNodes()).toEqual(['Good']);
    expect(await problems()).toEqual([
      'a: a node cannot be read: Error: getter',
      'a: node BadDynamic: input x: dynamic: unknown kind none',
      'a: node Bad: expected data, got a function',
    ]);
  });

  it('keeps web folders inside the pack', async () => {
    files.write('a/index.mjs', `export const nodes = []; export const webDirectory = '..';`);
    files.write('b.mjs', `export const nodes = []; export const webDirectory = '.';`);
    files.write('c/index.mjs', `export const nodes = []; export const webDirectory = './js';`);
    files.write('c/js/x.js', '');
    open();
    const reports = await host.reports();
    expect(reports.map(({ webDirectory }) => webDirectory?.slice(files.folder.length))).toEqual([
      undefined,
      undefined,
      '/c/js',
    ]);
    expect(await problems()).toEqual([
      'a: webDirectory .. lies outside the pack',
      'b: webDirectory . lies outside the pack',
    ]);
  });

  it('prints the same as a node of this process', async () => {
    const inputs = `inputs: {
      f: { type: 'FLOAT', options: { default: 8, min: 0n, step: 0.5 } },
      c: { type: 'COMBO', choices: ['a', 'b'], options: { default: 'b' } },
      d: { type: 'COMFY_DYNAMICCOMBO_V3', dynamic: { kind: 'combo', choices: [
        { key: 'k', inputs: { c: { type: 'COMBO', choices: () => ['x'] } } }] } } }`;
    files.write('a.mjs', `export const nodes = [${node('A', inputs)}];`);
    open();
    expect(await info('A')).toContain(
      '{"f": ["FLOAT", {"default": 8.0, "min": 0, "step": 0.5}], "c": [["a", "b"], {"default": "b"}],',
    );
    expect(await info('A')).toContain(
      '"options": [{"key": "k", "inputs": {"required": {"c": [["x"',
    );
  });
});

describe('questions', () => {
  const check = (body: string): string =>
    node('A', `inputs: { x: { type: 'INT' } }, validate: { inputs: ['x'], check: ${body} }`);
  const details = async (x: unknown): Promise<unknown> => {
    const answer = await validate('A', { x });
    if (answer.ok) return 'ok';
    return answer.nodeErrors['1'].errors.map(({ type, details }) => `${type}: ${details}`);
  };

  it("asks a pack's own check, without loss", async () => {
    files.write(
      'a.mjs',
      `export const nodes = [${check("({ x }) => typeof x === 'bigint' || `got ${typeof x}`")}];`,
    );
    open();
    expect(await details(2n ** 60n)).toBe('ok');
    expect(await details(5)).toEqual(['custom_validation_failed: x - got number']);
  });

  it('shows what a check throws', async () => {
    files.write('a.mjs', `export const nodes = [${check("() => { throw new TypeError('oh') }")}];`);
    open();
    const answer = await validate('A', { x: 1 });
    expect(answer.ok ? undefined : answer.nodeErrors['1'].errors[0]).toMatchObject({
      type: 'exception_during_validation',
      details: 'oh',
      extra_info: { exception_type: 'TypeError' },
    });
  });

  it('survives a check that never ends, and one that ends the process', async () => {
    files.write(
      'a.mjs',
      `export const nodes = [${check('({ x }) => { if (x === 1) for (;;); if (x === 2) process.exit(1); return true; }')}];`,
    );
    open({ answerLimit: 500 });
    expect(await details(1)).toEqual([expect.stringContaining('no answer within 0.5 s')]);
    expect(await details(3)).toBe('ok');
    expect(await details(2)).toEqual([expect.stringContaining('exit code 1')]);
    expect(await details(3)).toBe('ok');
  });

  it('lists choices as they are now', async () => {
    files.write(
      'a.mjs',
      `let n = 0; export const nodes = [${node('A', "inputs: { c: { type: 'COMBO', choices: () => { if (n === 2) throw new Error('gone'); return ['v' + Math.min(n++, 1)]; } } }")}];`,
    );
    open();
    await host.loadable(); // the first list is read while loading
    const before = await host.nodes();
    expect(
      stringifyJson(nodeInfo(before.get('A')!, createFolders({ base: files.base }))),
    ).toContain('[["v1"]');
    await expect(info('A')).rejects.toThrow('gone');
    expect(
      stringifyJson(nodeInfo(before.get('A')!, createFolders({ base: files.base }))),
    ).toContain('[["v1"]');
    expect(await host.nodes()).toBe(await host.nodes());
  });

  it('hears of errors nobody caught, and goes on', async () => {
    files.write(
      'a.mjs',
      `setTimeout(() => { throw new Error('late'); }, 50); setTimeout(() => Promise.reject(new Error('later')), 60); export const nodes = [${check('() => true')}];`,
    );
    open();
    await host.nodes();
    await expect
      .poll(problems)
      .toEqual(['a: an error nobody caught: late', 'a: an error nobody caught: later']);
    expect(await details(1)).toBe('ok');
  });
});

describe('changes', () => {
  it('loads anew what is there now', async () => {
    files.write('a.mjs', `export const nodes = [${node('A')}];`);
    files.write('b.mjs', `process.exit(0);`);
    open();
    expect(await packNodes()).toEqual(['A']);
    files.write('a.mjs', `export const nodes = [${node('A2')}];`);
    files.write('b.mjs', `export const nodes = [${node('B')}];`);
    await host.reload();
    expect(await packNodes()).toEqual(['A2', 'B']);
    expect(await problems()).toEqual([]);
    files.remove('a.mjs');
    files.remove('b.mjs');
    await host.reload();
    expect(await packNodes()).toEqual([]);
  });

  it('leaves out a pack that brought an engine down', async () => {
    files.write('a.mjs', `export const nodes = [${node('A')}];`);
    files.write('b.mjs', `export const nodes = [${node('B')}];`);
    open();
    const [a] = await host.loadable();
    host.blame(a, 'exit code 1');
    expect(await packNodes()).toEqual(['B']);
    expect(await host.loadable()).toHaveLength(1);
    expect(await problems()).toEqual(['a: in an engine: exit code 1']);
  });
});
