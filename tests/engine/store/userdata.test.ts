import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mergeSettings, readSettings } from '../../../engine/store/settings.ts';
import {
  deleteUserFile,
  listUserEntries,
  listUserFiles,
  moveUserFile,
  writeUserFile,
} from '../../../engine/store/userdata.ts';
import { createUsers } from '../../../engine/store/users.ts';
import { Float } from '../../../engine/workflow/lossless-json.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'noodle-user-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));
const put = (name: string, text = 'x', overwrite = true) =>
  writeUserFile(root, name, Buffer.from(text), { overwrite });

test('files are listed relative to the folder, hidden ones left out', () => {
  put('workflows/a.json');
  put('workflows/sub/b.json', 'yy');
  writeFileSync(join(root, 'workflows', '.index.json'), '{}');
  const names = (recurse: boolean) =>
    listUserFiles(root, 'workflows', { recurse }).map((file) => file.path);
  expect(names(false)).toEqual(['a.json']);
  expect(names(true)).toEqual(['a.json', 'sub/b.json']);
});

test('entries list folders first, with paths from the user root', () => {
  put('workflows/Zeta.json');
  put('workflows/alpha.json');
  put('workflows/sub/b.json');
  put('workflows/.index.json'); // the page's bookmarks: listed, as ComfyUI does
  expect(listUserEntries(root, 'workflows').map((e) => [e.type, e.path])).toEqual([
    ['directory', 'workflows/sub'],
    ['file', 'workflows/.index.json'],
    ['file', 'workflows/alpha.json'],
    ['file', 'workflows/sub/b.json'],
    ['file', 'workflows/Zeta.json'],
  ]);
  expect(listUserEntries(join(root, 'nowhere'), '')).toEqual([]);
});

test('writing, moving and deleting obey overwrite and existence', () => {
  expect(put('a/b.txt', 'hello')).toMatchObject({ path: 'a/b.txt', size: 5 });
  expect(() => put('a/b.txt', 'again', false)).toThrow(/already exists/);
  expect(moveUserFile(root, 'a/b.txt', 'c.txt', { overwrite: false }).path).toBe('c.txt');
  put('d.txt');
  expect(() => moveUserFile(root, 'c.txt', 'd.txt', { overwrite: false })).toThrow(/exists/);
  deleteUserFile(root, 'd.txt');
  expect(() => deleteUserFile(root, 'd.txt')).toThrow(/not found/);
});

test.each(['../x', '/etc/passwd', 'a/../../x', '..\\x', 'C:\\x'])(
  'a name that leaves the user folder is refused: %j',
  (name) => {
    expect(() => put(name)).toThrow(/outside/);
    expect(() => listUserFiles(root, name, { recurse: true })).toThrow(/outside/);
  },
);

test('a name that no file can have is refused', () => {
  expect(() => put('a\0b')).toThrow('control character U+0000');
  expect(() => listUserFiles(root, 'a\nb', { recurse: true })).toThrow('a line break');
});

test('a symlink that leaves the user folder is refused', () => {
  symlinkSync(tmpdir(), join(root, 'out'));
  expect(() => put('out/x.txt')).toThrow(/outside/);
});

test('settings merge, keep floats, and survive a damaged file', () => {
  mergeSettings(root, { a: 1, b: new Float(2) });
  mergeSettings(root, { a: [true] });
  expect(readSettings(root)).toEqual({ a: [true], b: new Float(2) });
  expect(() => mergeSettings(root, [1])).toThrow(/expected an object/);
  writeFileSync(join(root, 'comfy.settings.json'), '{broken');
  expect(readSettings(root)).toEqual({});
});

test('users: one by default, many by header', () => {
  const single = createUsers(root, { multiUser: false });
  expect(single.resolve('anyone')).toBe('default');
  const many = createUsers(root, { multiUser: true });
  const id = many.add(' Ada L. ');
  expect(id).toMatch(/^Ada-L-_[0-9a-f-]{36}$/);
  expect(many.resolve(id)).toBe(id);
  expect(() => many.resolve(undefined)).toThrow(/not known/);
  expect(() => many.resolve('__proto__')).toThrow(/not known/);
  expect(() => many.add('Ada L.')).toThrow('Duplicate username.');
  expect(() => many.add('__system')).toThrow('System User prefix not allowed');
  expect(() => many.add('  ')).toThrow('username not provided');
  expect(createUsers(root, { multiUser: true }).list()).toEqual({ [id]: 'Ada L.' });
});
