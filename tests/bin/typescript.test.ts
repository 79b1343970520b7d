import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const checkout = join(import.meta.dirname, '../..');
let root: string;

/** What a script prints that is read by the loader of its own checkout. */
const run = (script: string): string => {
  writeFileSync(join(root, 'main.ts'), script);
  const loader = pathToFileURL(join(root, 'bin/typescript.js')).href;
  return execFileSync(process.execPath, ['--import', loader, join(root, 'main.ts')], {
    encoding: 'utf8',
  });
};
const made = (): string => join(root, '.cache/typescript/main.ts.js');

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), `noodle 'typescript' 100%-`));
  cpSync(join(checkout, 'bin'), join(root, 'bin'), { recursive: true });
  cpSync(join(checkout, 'engine/threads.ts'), join(root, 'engine/threads.ts'));
  symlinkSync(join(checkout, 'node_modules'), join(root, 'node_modules'));
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
});
afterAll(() => rmSync(root, { recursive: true }));

it('reads TypeScript, and says in errors where in the source it was', () => {
  writeFileSync(
    join(root, 'other.ts'),
    `interface Long {\n  a: 1;\n}\n\nexport const fail = (): Long => {\n  throw new Error('é');\n};`,
  );
  const text = run(
    `import { fail } from './other.ts';\ntry { fail(); } catch (e) { console.log((e as Error).stack); }`,
  );
  expect(text).toMatch(/^Error: é\n/);
  expect(text).toMatch(/other\.ts:6:9/);
  expect(text).toMatch(/main\.ts:2:7/);
});

it('reads it in threads, whatever the path', () => {
  writeFileSync(join(root, 'thread.ts'), `console.log('thread' as string);`);
  const script = `import { startThread } from './engine/threads.ts';\nstartThread(import.meta.resolve('./thread.ts'));`;
  expect(run(script)).toBe('thread\n');
});

it('keeps what it made, and makes it again for any other text', () => {
  expect(run(`console.log('a' as string);`)).toBe('a\n');
  const first = readFileSync(made(), 'utf8');
  expect(first).not.toContain('as string');
  writeFileSync(made(), first.replace('"a"', '"kept"'));
  expect(run(`console.log('a' as string);`)).toBe('kept\n');
  // Of the same length, in the same moment.
  expect(run(`console.log('b' as string);`)).toBe('b\n');
});

it('does not use half a file, and needs no place to keep any', () => {
  expect(run(`console.log('c' as string);`)).toBe('c\n');
  writeFileSync(made(), readFileSync(made(), 'utf8').slice(0, -20));
  expect(run(`console.log('c' as string);`)).toBe('c\n');
  rmSync(join(root, '.cache'), { recursive: true });
  writeFileSync(join(root, '.cache'), '');
  expect(run(`console.log('d' as string);`)).toBe('d\n');
  rmSync(join(root, '.cache'));
});

it('finds its way after the checkout was moved', () => {
  const script = `console.log(new Error('moved' as string).stack);`;
  expect(run(script)).toContain(join(root, 'main.ts:1:13'));
  const to = mkdtempSync(join(tmpdir(), 'noodle-moved-'));
  rmSync(to, { recursive: true });
  renameSync(root, to);
  root = to;
  expect(run(script)).toContain(join(root, 'main.ts:1:13'));
});

it('makes everything again for other hooks', () => {
  expect(run(`console.log('e' as string);`)).toBe('e\n');
  writeFileSync(made(), readFileSync(made(), 'utf8').replace('"e"', '"old"'));
  const hooks = join(root, 'bin/typescript-hooks.js');
  writeFileSync(hooks, `${readFileSync(hooks, 'utf8')}// another version\n`);
  expect(run(`console.log('e' as string);`)).toBe('e\n');
});
