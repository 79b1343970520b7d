import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NoodleError } from '../../../engine/errors.ts';
import { writeFileAtomic } from '../../../engine/store/write.ts';
import { base, make, put } from './base-folder.ts';

describe('saving', () => {
  const now = (): Date => new Date(2025, 2, 4, 5, 6, 7);

  it('replaces tokens and splits folders', () => {
    const folders = make({ now });
    const target = folders.saveTarget(
      '%year%-%month%/%day%_%hour%%minute%%second%_%width%x',
      'output',
      {
        width: 64,
        height: 32,
      },
    );
    expect(target).toEqual({
      directory: join(base, 'output/2025-03'),
      filename: '04_050607_64x',
      counter: 1,
      subfolder: '2025-03',
      prefix: '2025-03/04_050607_64x',
    });
    expect(folders.saveTarget('50%_%seed%', 'output').filename).toBe('50%_%seed%');
    expect(folders.saveTarget('a/../b/c/', 'temp')).toMatchObject({
      subfolder: 'b',
      filename: 'c',
    });
    expect(folders.saveTarget(join(base, 'output', 'in', 'n'), 'output').subfolder).toBe('in');
  });

  it.each(['../x', '/etc/x', 'a/../../x', '..\\x'])('refuses the prefix %j', (prefix) => {
    expect(() => make().saveTarget(prefix, 'output')).toThrow(
      'Saving image outside the output folder is not allowed',
    );
  });

  it.each([
    ['a red circle\non a blue background', 'has a line break in a name'],
    ['a\tb/c', 'has a tab in a name'],
    ['a\0/x', 'has the control character U+0000 in a name'],
    ['x'.repeat(300), 'has a name of 301 bytes'],
  ])('says what is wrong with the prefix %j', (prefix, problem) => {
    const folders = make();
    expect(() => folders.saveTarget(prefix, 'output')).toThrow(problem);
    expect(folders.prefixProblem?.(prefix, '.png')).toContain(problem);
    expect(readdirSync(folders.output)).toEqual([]);
  });

  it('knows before it writes whether the numbered name is too long', () => {
    const folders = make();
    const longest = 'x'.repeat(255 - '_00001_.png'.length);
    expect(folders.prefixProblem?.(longest, '.png')).toBeUndefined();
    expect(folders.prefixProblem?.(longest, '.latent')).toContain('more than the 255');
    expect(folders.prefixProblem?.(`${longest}x`, '.png')).toContain('more than the 255');
    expect(folders.writeNumbered(folders.saveTarget(longest, 'output'), '.png', 'a').counter).toBe(
      1,
    );
  });

  it('names none of the server’s folders when it refuses or fails', () => {
    const folders = make();
    put('output/file');
    for (const prefix of ['../x', '/etc/x', 'file/x', 'x/'.repeat(3000), 'x\n']) {
      expect(() => folders.saveTarget(prefix, 'output')).toThrow();
      expect(() => folders.saveTarget(prefix, 'output')).not.toThrow(base);
    }
    expect(() => folders.saveTarget('file/x', 'output')).toThrow(/'file' could not be written/);
    const target = { ...folders.saveTarget('y', 'output'), directory: join(base, 'output/file') };
    expect(() => folders.writeNumbered(target, '.png', 'a')).toThrow(NoodleError);
  });

  it('follows links where --follow-links lets it', () => {
    mkdirSync(join(base, 'disk/deep'), { recursive: true });
    mkdirSync(join(base, 'other'));
    put('disk/photo.png');
    for (const type of ['input', 'output']) {
      mkdirSync(join(base, type), { recursive: true });
      symlinkSync(join(base, 'disk'), join(base, type, 'ext'));
      symlinkSync(join(base, 'disk/photo.png'), join(base, type, 'linked.png'));
      symlinkSync(join(base, 'other'), join(base, type, 'other'));
    }
    const strict = make();
    expect(strict.inputFiles('image')).toEqual([]);
    expect(strict.annotatedExists('linked.png')).toBe(false);
    expect(() => strict.saveTarget('ext/x', 'output')).toThrow('--follow-links');
    for (const followLinks of [true, [join(base, 'disk')]] as const) {
      const folders = make({ followLinks });
      expect(folders.inputFiles('image')).toEqual(['linked.png']);
      expect(folders.filesOf('output')).toEqual(['linked.png']);
      expect(folders.annotatedFile('ext/photo.png')).toBe(join(base, 'disk/photo.png'));
      const target = folders.saveTarget('ext/deep/x', 'output');
      expect(target).toMatchObject({ directory: join(base, 'disk/deep'), subfolder: 'ext/deep' });
      const other = (): unknown => folders.saveTarget('other/x', 'output');
      if (followLinks === true) expect(other).not.toThrow();
      else expect(other).toThrow('--follow-links');
    }
  });

  it('lists what can be used, and only that', () => {
    for (const name of ['con.png', 'aux.png', 'a:b.png', 'line\nbreak.png', '... '])
      put(`input/${name}`);
    put('models/checkpoints/aux/m.safetensors');
    put('models/checkpoints/nul.safetensors');
    put('models/checkpoints/tab\there.safetensors');
    const folders = make();
    const pictures = folders.inputFiles('image');
    expect(pictures).toEqual(['a:b.png', 'aux.png', 'con.png']);
    for (const name of pictures) expect(folders.annotatedExists(name)).toBe(true);
    const models = folders.modelFiles('checkpoints');
    expect(models).toEqual([join('aux', 'm.safetensors'), 'nul.safetensors']);
    for (const name of models) expect(() => folders.modelFile('checkpoints', name)).not.toThrow();
  });

  it('refuses a folder that is a link to elsewhere', () => {
    const folders = make();
    mkdirSync(join(base, 'elsewhere'));
    symlinkSync(join(base, 'elsewhere'), join(base, 'output/link'));
    expect(() => folders.saveTarget('link/x', 'output')).toThrow('outside the output folder');
  });

  it('continues after the highest counter', () => {
    const folders = make();
    for (const name of ['n_00007_.png', 'n_00012_x.webp', 'n_3.mp4', 'nn_99999_.png', 'n_x_.png']) {
      put(`output/${name}`);
    }
    expect(folders.saveTarget('n', 'output').counter).toBe(13);
    expect(folders.saveTarget('fresh', 'output').counter).toBe(1);
  });

  it('starts again when the files are gone, and sees files of others', () => {
    const folders = make();
    const saved = folders.writeNumbered(folders.saveTarget('n', 'output'), '.png', 'a');
    expect(saved).toEqual({
      path: join(base, 'output/n_00001_.png'),
      name: 'n_00001_.png',
      counter: 1,
    });
    put('output/n_00041_.png');
    expect(folders.saveTarget('n', 'output').counter).toBe(42);
    rmSync(saved.path);
    rmSync(join(base, 'output/n_00041_.png'));
    expect(folders.saveTarget('n', 'output').counter).toBe(1);
  });

  it('replaces a file of one name whole, and leaves nothing else', () => {
    const folders = make();
    for (const text of ['one', 'two']) {
      expect(folders.writeNamed(folders.saveTarget('a/n', 'output'), 'n.png', text)).toEqual({
        path: join(base, 'output/a/n.png'),
        name: 'n.png',
      });
      expect(readFileSync(join(base, 'output/a/n.png'), 'utf8')).toBe(text);
    }
    expect(readdirSync(join(base, 'output/a'))).toEqual(['n.png']);
    mkdirSync(join(base, 'output/a/m.png'));
    const target = folders.saveTarget('a/m', 'output');
    expect(() => folders.writeNamed(target, 'm.png', 'x')).toThrow(
      "'a/m.png' could not be written",
    );
    expect(() => folders.writeNamed(target, 'x'.repeat(300), 'x')).toThrow('a name of 300 bytes');
    expect(readdirSync(join(base, 'output/a')).sort()).toEqual(['m.png', 'n.png']);
  });

  it('never overwrites: two writers with the same target get two files', () => {
    const one = make();
    const two = make();
    const a = one.saveTarget('n', 'output');
    const b = two.saveTarget('n', 'output');
    expect(a.counter).toBe(b.counter);
    one.writeNumbered(a, '.png', 'one');
    expect(two.writeNumbered(b, '.png', 'two').counter).toBe(2);
    expect(readFileSync(join(base, 'output/n_00001_.png'), 'utf8')).toBe('one');
    expect(readdirSync(join(base, 'output')).sort()).toEqual(['n_00001_.png', 'n_00002_.png']);
  });
});

describe('files of a target', () => {
  it('replace one of the same name', () => {
    const folders = make();
    const target = folders.saveTarget('sub/n', 'output');
    for (const text of ['one', 'two']) {
      const saved = folders.writeNamed(target, 'n.txt', text);
      expect(saved).toEqual({ path: join(base, 'output/sub/n.txt'), name: 'n.txt' });
      expect(readFileSync(saved.path, 'utf8')).toBe(text);
    }
    expect(readdirSync(target.directory)).toEqual(['n.txt']);
    mkdirSync(join(target.directory, 'folder'));
    expect(() => folders.writeNamed(target, 'folder', 'x')).toThrow(
      "file 'sub/folder' could not be written",
    );
  });

  it.each(['../x', 'a/../../../x', '/x', '..\\x', 'a\nb', '..'])('are not called %j', (name) => {
    const folders = make();
    const target = folders.saveTarget('n', 'output');
    const nameOf = (): string => name;
    const refused = expect.objectContaining({ code: 'PATH_OUTSIDE' }) as Error;
    expect(() => folders.writeNamed(target, name, 'x')).toThrow(refused);
    expect(() => folders.writeNumbered({ ...target, nameOf }, '', 'x')).toThrow(refused);
    expect(readdirSync(target.directory)).toEqual([]);
  });
});

describe('writeFileAtomic', () => {
  it('replaces, refuses when exclusive, and leaves no rests behind a failure', () => {
    const path = join(base, 'f.txt');
    writeFileAtomic(path, 'one');
    writeFileAtomic(path, new Uint8Array([50]));
    expect(readFileSync(path, 'utf8')).toBe('2');
    expect(() => writeFileAtomic(path, 'x', { exclusive: true })).toThrow('EEXIST');
    mkdirSync(join(base, 'dir'));
    put('dir/keep');
    expect(() => writeFileAtomic(join(base, 'dir'), 'x')).toThrow();
    expect(readdirSync(base).sort()).toEqual(['dir', 'f.txt']);
  });
});
