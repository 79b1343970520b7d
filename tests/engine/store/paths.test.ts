import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NoodleError } from '../../../engine/errors.ts';
import { isInside, resolveInside } from '../../../engine/store/paths.ts';

let root: string;
let outside: string;

beforeEach(() => {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'noodle-paths-')));
  root = join(top, 'root');
  outside = join(top, 'outside');
  mkdirSync(join(root, 'sub'), { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(root, 'sub', 'a.png'), 'a');
  writeFileSync(join(outside, 'secret.txt'), 's');
});

afterEach(() => rmSync(join(root, '..'), { recursive: true, force: true }));

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return error instanceof NoodleError ? error.code : String(error);
  }
  return 'none';
};

describe('resolveInside', () => {
  it('keeps names below the root', () => {
    expect(resolveInside(root, 'sub/a.png')).toBe(join(root, 'sub', 'a.png'));
    expect(resolveInside(root, 'sub\\a.png')).toBe(join(root, 'sub', 'a.png'));
    expect(resolveInside(root, './/sub/./new/b.png')).toBe(join(root, 'sub', 'new', 'b.png'));
    expect(resolveInside(root, 'a..b...png')).toBe(join(root, 'a..b...png'));
    expect(resolveInside(root, '')).toBe(root);
  });

  it.each([
    '/etc/passwd',
    '\\\\server\\share',
    '\\etc',
    'C:\\x',
    '..',
    '../outside/secret.txt',
    'sub/../../outside/secret.txt',
    'sub\\..\\..\\outside\\secret.txt',
    'a\0b',
    'a\nb',
    '... ',
    '.. /x',
  ])('refuses %j', (name) => {
    expect(codeOf(() => resolveInside(root, name))).toBe('PATH_OUTSIDE');
  });

  it('takes names that only another system reserves', () => {
    for (const name of ['aux', 'con.png', 'sub/NUL.safetensors', 'a:b', 'c:x', 'what?.png']) {
      if (process.platform !== 'win32') expect(resolveInside(root, name)).toBe(join(root, name));
    }
  });

  it.each([
    ['../x', 'lies outside the folder'],
    ['/etc/x', 'is absolute'],
    ['a\nb', 'has a line break in a name'],
    ['a\tb', 'has a tab in a name'],
    ['a\0b', 'has the control character U+0000 in a name'],
    ['.. /x', 'dots and spaces only'],
    [`${'é'.repeat(128)}.png`, 'has a name of 260 bytes, more than the 255'],
    ['link/x', 'goes through a link (--follow-links'],
    ['loop', 'goes round in links'],
  ])('says the true reason for %j, and no folder of the server', (name, reason) => {
    symlinkSync(outside, join(root, 'link'));
    symlinkSync(join(root, 'loop'), join(root, 'loop'));
    const run = (): unknown => resolveInside(root, name);
    expect(codeOf(run)).toBe('PATH_OUTSIDE');
    expect(run).toThrow(reason);
    expect(run).not.toThrow(tmpdir());
  });

  it('refuses paths that are too long as a whole', () => {
    expect(() => resolveInside(root, 'x/'.repeat(3000))).toThrow('longer than this system takes');
  });

  it('follows links into the folders that are named, and no others', () => {
    symlinkSync(outside, join(root, 'link'));
    symlinkSync(outside, join(outside, 'alias'));
    const path = join(outside, 'secret.txt');
    expect(resolveInside(root, 'link/secret.txt', { links: [outside] })).toBe(path);
    expect(resolveInside(root, 'link/secret.txt', { links: [join(outside, 'alias')] })).toBe(path);
    expect(codeOf(() => resolveInside(root, 'link/x', { links: [join(outside, 'sub')] }))).toBe(
      'PATH_OUTSIDE',
    );
    expect(codeOf(() => resolveInside(root, '../outside/x', { links: [outside] }))).toBe(
      'PATH_OUTSIDE',
    );
  });

  it('refuses links that leave the root, unless they are the administrator’s', () => {
    symlinkSync(outside, join(root, 'link'));
    symlinkSync(join(root, 'sub'), join(root, 'inner'));
    expect(codeOf(() => resolveInside(root, 'link/secret.txt'))).toBe('PATH_OUTSIDE');
    expect(codeOf(() => resolveInside(root, 'link/new/file'))).toBe('PATH_OUTSIDE');
    expect(resolveInside(root, 'inner/a.png')).toBe(join(root, 'sub', 'a.png'));
    expect(resolveInside(root, 'link/secret.txt', { links: 'follow' })).toBe(
      join(outside, 'secret.txt'),
    );
  });

  it('refuses a link without a target and a loop of links', () => {
    symlinkSync(join(outside, 'missing'), join(root, 'dangling'));
    symlinkSync(join(root, 'loop'), join(root, 'loop'));
    expect(codeOf(() => resolveInside(root, 'dangling'))).toBe('FILE_NOT_FOUND');
    expect(codeOf(() => resolveInside(root, 'loop'))).toBe('PATH_OUTSIDE');
  });

  it('resolves a root that is itself a link', () => {
    symlinkSync(root, join(outside, 'alias'));
    expect(resolveInside(join(outside, 'alias'), 'sub/a.png')).toBe(join(root, 'sub', 'a.png'));
  });

  it('reports a missing file by kind and name', () => {
    expect(() => resolveInside(root, 'no.png', { mustExist: true, kind: 'image' })).toThrow(
      "image 'no.png' was not found",
    );
  });
});

describe('isInside', () => {
  it('compares whole parts', () => {
    expect(isInside('/a/b', '/a/b')).toBe(true);
    expect(isInside('/a/b', '/a/b/..c')).toBe(true);
    expect(isInside('/a/b', '/a/bc')).toBe(false);
    expect(isInside('/a/b', '/a')).toBe(false);
  });
});
