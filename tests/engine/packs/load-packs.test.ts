import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findPacks } from '../../../engine/packs/find-packs.ts';
import { loadPacks } from '../../../engine/packs/load-packs.ts';
import { builtinNodes } from '../../../nodes/index.ts';

let root: string;

const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};
const node = (name: string, more = ''): string => `{ name: '${name}', run: () => [1], ${more} }`;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'packs-'));
  write('a-folder/index.mjs', `export const nodes = [${node('A')}, ${node('Shared')}];`);
  write('a-folder/web/x.js', '');
  write(
    'b-file.mjs',
    `export default { name: 'Nice name', nodes: [${node('Shared')}, ${node('B', "inputs: { x: { type: 'INT' } }, outputs: [{ type: 'INT' }]")}] };`,
  );
  write('c-web/index.mjs', `export const nodes = []; export const webDirectory = './js';`);
  write('c-web/js/x.js', '');
  write('d-throws/index.mjs', `throw new TypeError('broken pack');`);
  write('e-syntax/index.mjs', 'export const nodes = [');
  write('f-python/__init__.py', '');
  write('g-empty/readme.txt', '');
  write(
    'h-malformed/index.mjs',
    `export const nodes = [5, { name: 'NoRun' }, ${node('BadInput', 'inputs: { x: 1 }')}, ${node('BadForm', "form: 'v2'")}, ${node('Good')}];`,
  );
  write('i-no-nodes.mjs', 'export const other = 1;');
  write('j-builtin.mjs', `export const nodes = [${node('PreviewAny')}];`);
  write('k.disabled/index.mjs', `export const nodes = [${node('K')}];`);
  write('.hidden/index.mjs', `export const nodes = [${node('H')}];`);
  write('__pycache__/index.mjs', '');
  write('types.d.ts', '');
  write('notes.txt', '');
});
afterAll(() => rmSync(root, { recursive: true }));

const find = (packs: 'all' | string[] = 'all') =>
  findPacks({ directories: [root, join(root, 'missing')], packs });
const load = (packs: 'all' | string[] = 'all') =>
  loadPacks({ paths: find(packs), builtin: builtinNodes() });

describe('loadPacks', () => {
  it('loads folders and files in name order, and what is good of broken ones', async () => {
    const { nodes, packs } = await load();
    expect([...nodes.keys()]).toEqual(['A', 'Shared', 'B', 'Good']);
    expect(packs.map((pack) => [pack.name, pack.nodes])).toEqual([
      ['a-folder', ['A', 'Shared']],
      ['Nice name', ['B']],
      ['c-web', []],
      ['h-malformed', ['Good']],
      ['j-builtin', []],
    ]);
    expect(packs[2].webDirectory).toBe(join(root, 'c-web', 'js'));
  });

  it('fills in what plain JavaScript leaves out', async () => {
    const { nodes } = await load();
    expect(nodes.get('B')).toMatchObject({
      module: 'custom_nodes.b-file',
      category: 'sd',
      form: 'v1',
      inputs: { x: { type: 'INT', optional: false } },
    });
    expect(nodes.get('A')).toMatchObject({ inputs: {}, outputs: [] });
  });

  it('reports every problem', async () => {
    const { problems } = await load();
    expect(problems.map(({ pack, error }) => `${pack}: ${error}`)).toEqual([
      'b-file: node Shared is already defined by pack a-folder; that one is kept',
      'd-throws: broken pack',
      expect.stringMatching(/^e-syntax: /) as string,
      'f-python: a Python pack: expected index.ts, index.js or index.mjs',
      'g-empty: expected index.ts, index.js or index.mjs',
      'h-malformed: expected a node definition, got number',
      "h-malformed: node NoRun: expected a function 'run'",
      'h-malformed: node BadInput: input x: expected an object with a type',
      "h-malformed: node BadForm: form: expected 'v1' or 'v3'",
      "i-no-nodes: expected an export 'nodes': a list of node definitions",
      'j-builtin: node PreviewAny is already defined by the built-in nodes; that one is kept',
    ]);
    expect(problems[1].stack).toContain('TypeError: broken pack');
  });

  it('honours the switches', async () => {
    expect((await load([])).packs).toEqual([]);
    const some = await load(['b-file', 'a-folder']);
    expect(some.packs.map((pack) => pack.name)).toEqual(['a-folder', 'Nice name']);
  });

  it('loads the packs that come with the program', async () => {
    const { nodes, problems, packs } = await loadPacks({
      paths: findPacks({ directories: [resolve('custom_nodes')] }),
      builtin: builtinNodes(),
    });
    expect(problems).toEqual([]);
    expect(packs.find((pack) => pack.name === 'example')?.webDirectory).toBeDefined();
    expect(nodes.has('ExampleAdjust')).toBe(true);
  });
});
